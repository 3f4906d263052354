"""What the annotations of a Namespace, which an administrator sets, permit the routes in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mill_api import names
from mill_api.text_rules import HOST_NAME
from mill_objects import fields
from mill_objects.json import JsonView
from mill_operator.core.patterns import pattern

MAX_ENTRIES: Final = 1000
"""Entries of a list of hosts."""
_HOST: Final = pattern(names.HOST_NAME)


@dataclass(frozen=True, slots=True)
class NamespaceRules:
    """The rules of one namespace."""

    hosts: frozenset[str] | None = None
    """The hosts that its services may have, in lower case, such as `www.example.com`, `*.example.com` or `*`; None:
    every host."""
    problem: str = ""
    """Why it is not known which hosts are allowed. Then none is."""
    shares_routes: bool = False
    """Whether its services may have routes that others have, which must permit the same."""

    def allows(self, host: str) -> bool:
        """Return whether a service may have a host. `*.example.com` allows every host below example.com."""
        if self.problem:
            return False
        if self.hosts is None or host in self.hosts or "*" in self.hosts:
            return True
        labels = host.split(".")
        return any(f"*.{'.'.join(labels[start:])}" in self.hosts for start in range(1, len(labels)))


NO_RULES: Final = NamespaceRules()


def project_namespace(body: JsonView) -> NamespaceRules:
    """Return what is kept of a Namespace: its rules."""
    return read_rules(fields.texts(fields.mapping(body, "metadata"), "annotations"))


def read_rules(annotations: Mapping[str, str]) -> NamespaceRules:
    """Read the annotations of a Namespace. A list that cannot be read allows no host."""
    shares = annotations.get(names.ANNOTATION_SHARED_ROUTES) == "true"
    text = annotations.get(names.ANNOTATION_ALLOWED_HOSTS)
    if text is None:
        return NamespaceRules(shares_routes=shares)
    entries = [entry for each in text.lower().split(",") if (entry := each.strip())]
    wrong = [number for number, entry in enumerate(entries, 1) if entry != "*" and not _is_host(entry)]
    problem = ""
    if len(entries) > MAX_ENTRIES:
        problem = f"it has more than {MAX_ENTRIES} entries"
    elif wrong:
        problem = f"its entry {wrong[0]} is not a host name"
    return NamespaceRules(frozenset() if problem else frozenset(entries), problem, shares)


def _is_host(entry: str) -> bool:
    return len(entry) <= HOST_NAME.max_length and _HOST.fullmatch(entry) is not None
