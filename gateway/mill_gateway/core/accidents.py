"""What a deploy is refused for unless it is meant: an empty file, the file of another application, a system namespace.

Each refusal says what was about to happen, and apart from that the parameter of the API by which it is meant: clients
show the first with the options that they have.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mill_api.spec import MillDeploymentSpec
from mill_gateway.objects.deployments import Deployment
from mill_objects.key import Key

NAMES_SHOWN: Final = 10
"""Names of services that a refusal lists."""


class Accident(NamedTuple):
    """What a request is refused for."""

    summary: str
    """What was about to happen."""
    if_meant: str
    """The parameters by which it happens."""


EMPTY_FILE: Final = Accident(
    "the file has no service and no task: its deploy would remove everything that is deployed",
    "if that is meant, use `?allowEmpty=true` (`mill deploy --allow-empty`)",
)


def is_empty(spec: MillDeploymentSpec) -> bool:
    """Whether a spec has neither a service nor a task."""
    return not spec.services and not spec.tasks


def removal_of_all(current: Deployment, spec: MillDeploymentSpec, *, named: bool) -> Accident | None:
    """Return why a spec that keeps none of the current services is refused; None if it keeps one, or there are none.

    `named`: whether the caller may know their names.
    """
    there = [str(each["name"]) for each in current.services]
    if not there or {each.name for each in spec.services} & set(there):
        return None
    count = f"{len(there)} service{'s' if len(there) > 1 else ''}"
    which = f" ({_listed(there)})" if named else ""
    return Accident(
        f"MillDeployment {current.key} has {count}{which} and the file has none of them: its deploy would remove all",
        "if the file is that of another application, deploy it by another name (`?name=NAME`, "
        "`mill deploy --name NAME`); to replace everything, use `?replaceAll=true` (`mill deploy --replace-all`)",
    )


def version_of(current: Deployment | None) -> str:
    """Return what tells a generation of a resource from all others; `new` if there is none."""
    return "new" if current is None else f"{current.uid}.{current.metadata['generation']}"


def outdated_plan(key: Key) -> str:
    """Return why a deploy is refused whose plan was made of another version."""
    return f"MillDeployment {key} has changed since the plan of this deploy was made: nothing was written"


def is_system_namespace(namespace: str, *, own: str | None, default: str) -> bool:
    """Whether a namespace is one of Kubernetes' own or the gateway's own, and not the one that the gateway serves."""
    return namespace != default and (namespace == own or namespace.startswith("kube-"))


def system_namespace(namespace: str, own: str | None) -> Accident:
    """Return why a change in a system namespace is refused."""
    whose = "Mill itself" if namespace == own else "Kubernetes"
    return Accident(
        f"the namespace {namespace} belongs to {whose}: nothing was changed",
        "if that is meant, use `?system=true` (`--system` of `mill`)",
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
