"""The canonical text of what services and tasks say of their pods: identity, limits and place."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from mill_api.durations import normalize_duration
from mill_api.place import NO_LIMIT, NVIDIA, Limits, Place
from mill_api.quantities import normalize_cpu, normalize_size
from mill_api.spec import Service, Task
from mill_language.strings import quote

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)

Pair = tuple[str, str]


def pod_attributes(program: Service | Task) -> Iterator[Pair]:
    """Yield names and values of attributes."""
    if program.user is not None:
        yield "user", str(program.user)
    if program.group is not None:
        yield "group", str(program.group)
    if program.read_only_root:
        yield "read_only_root", "true"
    if program.pull is not None:
        yield "pull", quote(program.pull)
    if program.gpu:
        yield "gpu", _gpu(program.gpu)
    yield from texts("labels", program.labels)
    yield from texts("annotations", program.annotations)
    if program.stop is not None:
        yield "stop", quote(normalize_duration(program.stop))
    if program.stop_signal is not None:
        yield "stop_signal", quote(program.stop_signal)


def pod_blocks(program: Service | Task) -> Iterator[tuple[str, Iterator[Pair]]]:
    """Yield names of blocks, each with its attributes."""
    if program.limits is not None:
        yield "limits", _limits(program.limits)
    if program.place is not None:
        yield "place", _place(program.place)


def cores(quantity: str) -> str:
    """Return an amount of CPU as a number of cores."""
    cpu = normalize_cpu(quantity)
    return f"{Decimal(cpu.removesuffix('m')) / 1000:f}" if cpu.endswith("m") else cpu


def _limits(limits: Limits) -> Iterator[Pair]:
    if limits.cpu is not None:
        yield "cpu", quote(NO_LIMIT) if limits.cpu == NO_LIMIT else cores(limits.cpu)
    if limits.memory is not None:
        yield "memory", quote(normalize_size(limits.memory))


def _place(place: Place) -> Iterator[Pair]:
    if place.arch is not None:
        yield "arch", quote(place.arch)
    yield from texts("labels", place.labels)
    if place.tolerate:
        yield "tolerate", f"[{', '.join(map(quote, place.tolerate))}]"


def _gpu(gpu: Mapping[str, int]) -> str:
    if gpu.keys() == {NVIDIA}:
        return str(gpu[NVIDIA])
    return _object({name: str(count) for name, count in gpu.items()})


def texts(name: str, entries: Mapping[str, str]) -> Iterator[Pair]:
    """Yield the name and the value of an attribute with texts by their names, if there are any."""
    if entries:
        yield name, _object({key: quote(value) for key, value in entries.items()})


def _object(entries: Mapping[str, str]) -> str:
    pairs = (f"{key if _IDENTIFIER.fullmatch(key) else quote(key)} = {value}" for key, value in entries.items())
    return f"{{ {', '.join(pairs)} }}"
