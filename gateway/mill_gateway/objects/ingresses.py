"""The Ingress of a service: the routes that it has, and what its controller reports."""

from dataclasses import dataclass
from typing import Final

from mill_api import names
from mill_objects import fields
from mill_objects.json import JsonView
from mill_objects.key import Key
from mill_objects.printable import one_line

TEXT_LIMIT: Final = 253
"""Bytes of a class or an address."""


@dataclass(frozen=True, slots=True)
class Ingress:
    """The Ingress of a service."""

    key: Key
    uid: str
    resource_version: str
    deployment: str
    """Name of its MillDeployment."""
    ingress_class: str | None
    """None: there was no default IngressClass when it was created."""
    routes: frozenset[tuple[str, str]]
    """Hosts and paths."""
    tls_hosts: frozenset[str]
    address: str | None
    """The first address that an ingress controller has published; None until there is one."""


def project_ingress(body: JsonView) -> Ingress:
    """Return the projection of an Ingress. Raises `Unreadable`."""
    known, meta, spec, status = fields.identity(body), *fields.parts(body)
    published = fields.mappings(fields.mapping(status, "loadBalancer"), "ingress")
    addresses = (fields.text(each, "hostname") or fields.text(each, "ip") for each in published)
    return Ingress(
        key=known.key,
        uid=known.uid,
        resource_version=known.resource_version,
        deployment=fields.texts(meta, "labels").get(names.LABEL_DEPLOYMENT, ""),
        ingress_class=_shown(fields.text(spec, "ingressClassName")),
        routes=frozenset(
            (fields.text(rule, "host"), fields.text(path, "path"))
            for rule in fields.mappings(spec, "rules")
            for path in fields.mappings(fields.mapping(rule, "http"), "paths")
        ),
        tls_hosts=frozenset(
            host
            for each in fields.mappings(spec, "tls")
            if isinstance(hosts := each.get("hosts"), list)
            for host in hosts
            if isinstance(host, str)
        ),
        address=_shown(next(filter(None, addresses), "")),
    )


def _shown(text: str) -> str | None:
    return one_line(text, TEXT_LIMIT) or None
