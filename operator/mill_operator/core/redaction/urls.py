"""Credentials in URLs: users and passwords, signatures, and addresses that are a secret themselves."""

import re
from typing import Final

from mill_operator.core.patterns import Found, pattern, repeated
from mill_operator.core.redaction import MARK
from mill_operator.core.redaction.names import is_credential

_BEGIN: Final = repeated(r"(?i)(?P<scheme>[a-z][a-z0-9+.-]*)(?:://|%(?:25)*3A%(?:25)*2F%(?:25)*2F)")
RUN: Final = 600
"""Characters of a URL that are looked at; what is longer before its `@` is taken for a password."""
_RUN_END: Final = re.compile(r"[\s<>]|\\{0,8}[\"'`](?=\\{0,8}(?:[,;:}\])>\s]|$))")
_PASSWORD: Final = pattern(r"[^\s<>/?#:]*:[^\s<>/]")
"""Something that may be a user and a password, or a host and a port, of a URL without an `@`."""
_PORT: Final = re.compile(r"(?:[0-9]{1,5}|\*)(?=[/?#,;:)\]}\"'`.\\&|]|%|$)")
_ENCODED_AT: Final = re.compile(r"%(?:25){0,4}40")
_IMAGE: Final = re.compile(r"@sha(?:256|512):")
_WEB: Final = frozenset({"http", "https", "oci", "docker"})
"""Where a colon and digits are a port, even if there is an `@` in the path."""
_NO_AUTHORITY: Final = frozenset({"file", "unix"})

_BARE: Final = repeated(
    r"(?P<lead>^|[^\w.+-])[\w.+-]+:(?P<secret>[^\s\"'<>/]+)@(?:(?:tcp|udp|unix)\(|[\w.-]+:[0-9]{1,5}\b)"
    r"|(?P<thin>jdbc:oracle:\w+:)(?P<login>[^\s@/]+/[^\s@]+)@"
)
"""`user:password@tcp(…`, as Go's drivers have it, and `user:password@host:1234`."""

_QUERY: Final = repeated(r"(?i)(?:[?&;]|%(?:25)*(?:3F|26))(?P<name>[\w.~-]+)=(?P<value>[^&\s\"'<>]+)")
_IN_QUERIES: Final = frozenset({"key", "sig", "code", "x-amz-credential", "awsaccesskeyid", "k", "auth", "hash"})

_SIGNED: Final = repeated(
    r"(?i)(?P<address>https?://[^\s\"'<>?]+\?)[^\s\"'<>?]*"
    r"\b(?:X-Amz-Signature|X-Goog-Signature|X-Oss-Signature|Signature|cf_sign|sig)=[^\s\"'<>?]*?(?P<end>:?(?:[\s\"'<>?]|$))"
)
"""An address that opens for a while to anybody who has it. What it consists of says where the secret is kept."""

_WEBHOOK: Final = repeated(
    r"(?i)https?://(?:[\w.-]*(?:hooks?\.|webhook)[\w.-]*/(?P<whole>[^\s\"'<>]{8,})"
    r"|[\w.:-]+/(?:[\w-]+/)*(?:webhooks?|hooks|webhookb2|incoming|integration)/(?P<path>[\w/@.-]{16,})"
    r"|api\.telegram\.org/(?:file/)?bot(?P<bot>[0-9]+:[\w-]+))"
)
"""Addresses to which anybody may post who knows them."""


def redact_urls(text: str) -> str:
    """Take credentials out of URLs."""
    if ":" in text or "%3" in text:
        text = _without_users(text)
        text = _SIGNED.sub(_without_query, text)
        text = _BARE.sub(_without_password, text)
        text = _WEBHOOK.sub(_without_path, text)
    return _QUERY.sub(_without_value, text) if "=" in text else text


def _without_users(text: str) -> str:
    kept: list[str] = []
    at = 0
    for found in _BEGIN.finditer(text):
        start = found.end()
        if start < at or found["scheme"].lower() in _NO_AUTHORITY:
            continue
        rest = text[start : start + RUN]
        encoded = not found.group().endswith("://")
        length = _encoded_user_length(rest) if encoded else _user_length(found["scheme"].lower(), rest)
        if length:
            kept += [text[at:start], MARK]
            at = start + length
    return "".join([*kept, text[at:]])


def _user_length(scheme: str, rest: str) -> int:
    """Return how long the user and the password are; 0: there are none."""
    line = rest.partition("\n")[0]
    if line.startswith(("[", "/")) or ("@" not in line and not _PASSWORD.match(line)):
        return 0
    end = _RUN_END.search(line)
    run = line[: end.start()] if end else line
    authority = re.split(r"[/?#]", run, maxsplit=1)[0]
    colon = authority.find(":")
    last = _last_at(run)
    if colon < 0 or 0 <= authority.find("@") < colon:
        return max(_last_at(authority), 0) if colon < 0 else max(last, 0)
    password = run[colon + 1 :]
    if "@" in authority:
        return max(last, 0)
    if not password or _PORT.match(password):
        return max(last, 0) if scheme not in _WEB else 0
    if last >= 0:
        return last
    further = line.find("@", len(run))
    if further >= 0 and not _IMAGE.match(line, further):
        return further
    return 0 if password.startswith("/") else len(run)


def _encoded_user_length(rest: str) -> int:
    """Return the same for a URL in a URL, or in a form."""
    run = re.split(r"[\s\"'<>&]", rest, maxsplit=1)[0]
    return max((found.start() for found in _ENCODED_AT.finditer(run)), default=0)


def _last_at(text: str) -> int:
    at = text.rfind("@")
    return -1 if at >= 0 and _IMAGE.match(text, at) else at


def _without_password(found: Found) -> str:
    _, secret, _, login = found.groups("")
    if _IMAGE.search(found.group()):
        return found.group()
    start, _, end = found.group().rpartition(f"{secret or login}@")
    return f"{start}{MARK}@{end}"


def _without_path(found: Found) -> str:
    path = next(each for each in found.groups("") if each)
    return found.group().removesuffix(path) + MARK


def _without_query(found: Found) -> str:
    return f"{found['address']}{MARK}{found['end']}"


def _without_value(found: Found) -> str:
    name = found["name"].lower()
    secret = name in _IN_QUERIES or is_credential(name)
    return found.group()[: -len(found["value"])] + MARK if secret else found.group()
