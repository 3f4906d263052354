"""The name of the Secret with the certificate of an Ingress, into which cert-manager writes.

The operator has no right on Secrets, so that it cannot check whose Secret a name is: no tenant must be able to choose
it. It has a hash of the MillDeployment's uid, which the API server chooses. Hosts are no part of the hash: a tenant
could try hosts until it is that of another Secret, and each change of hosts would ask for a new certificate.
"""

from collections.abc import Iterable

from mill_api.owner import Owner
from mill_operator.core.digest import digest
from mill_operator.core.observed.children import ObservedChild


def tls_secret(owner: Owner, service: str, *, keeps_former: bool) -> str:
    """Return the name of a service's TLS Secret. An Ingress with the former name keeps it, and so its certificate."""
    return _former(service) if keeps_former else f"{_former(service)}-{digest([owner.uid, service])}"


def former_names(ingresses: Iterable[ObservedChild]) -> frozenset[str]:
    """Return the services whose Ingress has the name that releases before 0.2 have given to its TLS Secret."""
    return frozenset(
        child.service
        for child in ingresses
        if child.ingress is not None and child.ingress.tls_secret == _former(child.service)
    )


def _former(service: str) -> str:
    return f"{service}-tls"
