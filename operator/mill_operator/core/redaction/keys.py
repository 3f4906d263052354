"""Private keys as blocks of lines, whole or half: a log may begin or end within one. Certificates are public."""

import re
from typing import Final

from mill_operator.core.patterns import repeated
from mill_operator.core.redaction import MARK

_MARKER: Final = repeated(r"-----?[ ]?(?P<edge>BEGIN|END) (?P<kind>[A-Z0-9 .#]{0,80}?)[ ]?-----?")
"""RFC 7468's, OpenPGP's, and SSH2's with four hyphens."""
_PUBLIC: Final = re.compile(
    r"(?:TRUSTED |X509 |NEW )?CERTIFICATE(?: REQUEST)?|(?:RSA |SSH2 |PGP )?PUBLIC KEY(?: BLOCK)?|X509 CRL|CMS|PKCS7"
    r"|(?:DH|EC|DSA|X9\.42 DH) PARAMETERS|PGP SIGNATURE|PGP SIGNED MESSAGE"
)
_MATERIAL: Final = re.compile(
    r"[A-Za-z0-9+/=\\]{1,200}[\"',;]{0,3}|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): .{0,200}|"
)
"""A line of a key, or of its headers."""
_LONG: Final = re.compile(r"[A-Za-z0-9+/]{48,200}={0,2}")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_LAST: Final = re.compile(r"[A-Za-z0-9+/]{1,80}={0,2}[\"',]{0,2}")
SHORTEST_RUN: Final = 2
"""Lines: one may be anything."""


def redact_keys(text: str) -> str:
    """Take private keys out."""
    if "-----" in text or "---- " in text:
        text = _between_markers(text)
    if "\n" in text:
        text = "\n".join(_without_runs(text.split("\n")))
    return text


def _between_markers(text: str) -> str:
    kept: list[str] = []
    at = 0
    opened_at: int | None = None
    for found in _MARKER.finditer(text):
        if _PUBLIC.fullmatch(found["kind"].strip()):
            continue
        if found["edge"] == "BEGIN":
            if opened_at is None:
                kept.append(text[at : found.start()])
                opened_at = found.start()
        else:
            if opened_at is None:
                kept.append(_without_last_lines(text[at : found.start()]))
            kept.append(MARK)
            at, opened_at = found.end(), None
    kept.append(MARK if opened_at is not None else text[at:])
    return "".join(kept)


def _without_last_lines(text: str) -> str:
    """Take the lines of a key away of which only the end is there; all of it, where it is not in lines."""
    *lines, before = text.split("\n")
    if not lines or _LONG.search(before) or _MATERIAL.fullmatch(before.strip()):
        before = ""
    while lines and (_MATERIAL.fullmatch(lines[-1].strip()) or _LONG.search(lines[-1])):  # a logger puts its own before
        lines.pop()
    return "\n".join([*lines, before])


def _without_runs(lines: list[str]) -> list[str]:
    """Take out lines of Base64 that follow each other: a key without its ends."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and _is_material(lines[end]):
            end += 1
        if end - at < SHORTEST_RUN:
            kept.append(lines[at])
            at += 1
            continue
        if end < len(lines) and _LAST.fullmatch(lines[end].strip()):
            end += 1
        # Markers that are still there are those of something public.
        public = (at > 0 and "-----BEGIN" in lines[at - 1]) or (end < len(lines) and "-----END" in lines[end])
        kept += lines[at:end] if public else [MARK]
        at = end
    return kept


def _is_material(line: str) -> bool:
    bare = line.strip(" \t\"',")
    return bool(_LONG.fullmatch(bare)) and not _HEX.fullmatch(bare)
