"""Sizes and CPU: `.mill` notation, and canonical Kubernetes quantities.

The notations look alike and differ: `1m` of memory is a megabyte in a `.mill` file and a thousandth of a byte in
Kubernetes. So no text is passed on unconverted.
"""

import math
import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_UP, Context, Decimal, localcontext
from typing import Final

_DECIMAL: Final = {suffix: 1000**power for power, suffix in enumerate(["", "k", "M", "G", "T", "P", "E"])}
_BINARY: Final = {suffix: 1024**power for power, suffix in enumerate(["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])}
_UNITS: Final[dict[str, int]] = (
    {"b": 1}
    | {name: factor for suffix, factor in _DECIMAL.items() if suffix for name in (suffix.lower(), suffix.lower() + "b")}
    | {name: factor for suffix, factor in _BINARY.items() if suffix for name in (suffix.lower(), suffix.lower() + "b")}
)
_SHOWN: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_LARGEST: Final = 2**63 - 1
"""Kubernetes keeps quantities in 64 bits with a sign."""
_MOST_DIGITS: Final = 50
_MOST_EXPONENT_DIGITS: Final = 19
_LONGEST_SHOWN: Final = 100
_LARGEST_CPU: Final = 1_000_000

_PLAIN: Final = re.compile(r"\+?[0-9]+", re.ASCII)
_SIZE: Final = re.compile(r"([0-9.]*)\s*(.*)", re.ASCII | re.DOTALL)
_FLOAT: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+", re.ASCII)
_KUBERNETES: Final = re.compile(
    r"(?=.)(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]+))?"
)
_LEAST: Final = Decimal("1e-9")
"""Kubernetes keeps nine decimal places. A finer value is rounded up, so that no request becomes zero."""
_EXACT: Final = Context(prec=4 * _MOST_DIGITS, rounding=ROUND_UP, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
_SMALL: Final = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}


class InvalidQuantity(ValueError):
    """A size or an amount of CPU that cannot be read.

    Its `str` is the original's text, which the gateway's answers keep; `plain` is for people.
    """

    def __init__(self, text: str, plain: str | None = None) -> None:
        super().__init__(text)
        self.plain = plain or text


def parse_size(text: str) -> str:
    """Convert a size as `.mill` files write it to a Kubernetes quantity. Raises InvalidQuantity."""
    try:
        size, binary = _bytes(text)
    except InvalidQuantity as error:
        raise InvalidQuantity(f"invalid byte size '{text}': {error}", f"invalid size '{text}': {error.plain}") from None
    return format_size(size, binary=binary)


def format_size(size: int, *, binary: bool | None) -> str:
    """Write bytes with the largest suffix that is exact: binary, decimal, or whichever is shorter."""
    if binary is None:
        return min(format_size(size, binary=False), format_size(size, binary=True), key=len)
    if size == 0:
        return "0"
    suffixes = _BINARY if binary else _DECIMAL
    suffix, factor = max((item for item in suffixes.items() if size % item[1] == 0), key=lambda item: item[1])
    return f"{size // factor}{suffix}"


def parse_cpu(cores: Decimal) -> str:
    """Convert a number of cores: `0.5` is `500m`, `2` is `2`. Fractions of a thousandth are rounded up."""
    if not cores > 0:
        raise InvalidQuantity("cpu must be greater than 0")
    if cores > _LARGEST_CPU:
        raise InvalidQuantity(f"cpu must be at most {_LARGEST_CPU}")
    if cores < _SMALL["m"]:
        raise InvalidQuantity("cpu must be at least 0.001, the least that Kubernetes supports")
    return _millicores(cores)


def normalize_size(quantity: str) -> str:
    """Convert any Kubernetes quantity to the form that `parse_size` returns: whole bytes, rounded up."""
    value, suffix = _value(quantity)
    size = int(value.to_integral_value(ROUND_CEILING))
    return format_size(size, binary=suffix.endswith("i") if suffix else None)


def normalize_cpu(quantity: str) -> str:
    """Convert any Kubernetes quantity to the form that `parse_cpu` returns."""
    return _millicores(_value(quantity)[0])


def cores_of(quantity: str) -> float:
    """Return any Kubernetes quantity as a number of cores. Raises InvalidQuantity."""
    return float(_value(quantity)[0])


def bytes_of(quantity: str) -> int:
    """Return any Kubernetes quantity as a whole number of bytes, rounded up. Raises InvalidQuantity."""
    return int(_value(quantity)[0].to_integral_value(ROUND_UP))


def show_size(count: int) -> str:
    """Return bytes for people: `1000 B`, `488.3 MiB`."""
    if count < 1024:
        return f"{count} B"
    power = min(int(math.log(count, 1024)), len(_SHOWN))
    if 1024**power > count:  # the logarithm is rounded
        power -= 1
    return f"{count / 1024**power:.1f} {_SHOWN[power - 1]}"


def _millicores(cores: Decimal) -> str:
    milli = int((cores * 1000).to_integral_value(ROUND_CEILING))
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def _value(quantity: str) -> tuple[Decimal, str]:
    """Read a quantity as Kubernetes itself does (`resource.ParseQuantity`); no larger than 2^63 - 1 either way."""
    match = _KUBERNETES.fullmatch(quantity)
    if match is None:
        raise InvalidQuantity(f"{quoted(quantity[:_LONGEST_SHOWN])} is not a Kubernetes quantity")
    suffix = match["suffix"] or ""
    factor = _SMALL.get(suffix) or Decimal({**_DECIMAL, **_BINARY}[suffix])
    magnitude = _magnitude(match, factor)
    return (-magnitude if match["sign"] == "-" and magnitude else magnitude), suffix


def _magnitude(match: re.Match[str], factor: Decimal) -> Decimal:
    whole, fraction = match["whole"].lstrip("0"), (match["fraction"] or "").rstrip("0")
    exponent = _exponent(match["exponent"] or "0")
    if not whole and not fraction:
        return Decimal(0)
    digits = exponent + len(whole) if whole else exponent - len(fraction) + len(fraction.lstrip("0"))
    if digits > _MOST_DIGITS:  # not computed: it may have billions of them
        return Decimal(_LARGEST)
    if digits < -_MOST_DIGITS:
        return _LEAST
    value = _EXACT.multiply(_EXACT.scaleb(_EXACT.create_decimal(f"{whole or 0}.{fraction or 0}"), exponent), factor)
    if value > _LARGEST:
        return Decimal(_LARGEST)
    return value.quantize(_LEAST, context=_EXACT)


def _exponent(text: str) -> int:
    """Read an exponent as Kubernetes does: 64 bits, of which it keeps 32."""
    digits = text.lstrip("+-0") or "0"
    if len(digits) > _MOST_EXPONENT_DIGITS or (exponent := int(digits)) > _LARGEST:
        raise InvalidQuantity("a Kubernetes quantity has an exponent of 64 bits")
    return ((-exponent if text.startswith("-") else exponent) + 2**31) % 2**32 - 2**31


def _bytes(text: str) -> tuple[int, bool | None]:
    """Return bytes, and whether their unit was binary; None for no unit."""
    if _PLAIN.fullmatch(text):
        return _scaled(text.lstrip("+"), 1), None
    match = _SIZE.fullmatch(text)
    number, unit = match.groups() if match else ("", text)
    if not number:
        raise InvalidQuantity(
            f"couldn't parse {quoted(text)} into a ByteSize, cannot parse float from empty string",
            "it does not begin with a number",
        )
    if not _FLOAT.fullmatch(number):
        raise InvalidQuantity(
            f"couldn't parse {quoted(text)} into a ByteSize, invalid float literal", f"'{number}' is not a number"
        )
    factor = _UNITS.get(unit.lower()) if unit.isascii() else None
    if factor is None:
        raise InvalidQuantity(
            f"couldn't parse {quoted(unit)} into a known SI unit, Failed to parse unit {quoted(_first_bytes(unit))}",
            f"unknown unit '{unit}'; known are k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei"
            if unit
            else "a fraction needs a unit",
        )
    return _scaled(number, factor), "i" in unit.lower() if factor > 1 else None


def _scaled(number: str, factor: int) -> int:
    """Multiply, and cut off a fraction of a byte."""
    if len(number.partition(".")[0].lstrip("0")) <= _MOST_DIGITS:
        with localcontext(prec=3 * _MOST_DIGITS):
            size = int(Decimal(number[: 2 * _MOST_DIGITS]) * factor)
        if size <= _LARGEST:
            return size
    raise InvalidQuantity("larger than 8Ei, the most that Kubernetes supports")


def _first_bytes(unit: str) -> str:
    return unit if len(unit.encode()) <= 3 else unit.encode()[:3].decode("utf-8", "ignore") + "..."


def quoted(text: str) -> str:
    """Quote a text as the original does: with `\"`, `\\`, `\n` and `\t` escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
