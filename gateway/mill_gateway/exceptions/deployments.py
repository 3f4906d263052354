"""Failures of requests about deployments, their services and their rollouts."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class InvalidMillFile(GatewayError):
    """The `.mill` file has errors; `diagnostics` has all of them."""

    code = "invalid_mill_file"


class Refusal(GatewayError):
    """Base of the refusals of probable accidents. `error` has all of it, `summary` only what was about to happen."""

    def __init__(self, summary: str, if_meant: str) -> None:
        """Take what was about to happen, and the parameters by which it happens."""
        super().__init__(f"{summary}; {if_meant}", summary=summary)


class EmptyMillFile(Refusal):
    """The file has neither a service nor a task."""

    code = "empty_mill_file"


class RemovesAllServices(Refusal):
    """The file has none of the services that the MillDeployment has."""

    code = "removes_all_services"


class PlanOutdated(GatewayError):
    """The MillDeployment has changed since the plan of a deploy was made."""

    code = "plan_outdated"


class SystemNamespace(Refusal):
    """The namespace is Kubernetes' own, or that of Mill itself."""

    code = "system_namespace"


class DeploymentNotFound(NameNotFound):
    """The namespace has no such MillDeployment."""

    code = "deployment_not_found"
    kind = "deployment"

    def __init__(self, name: str, namespace: str) -> None:
        super().__init__(name, namespace, f"deployment not found: {namespace}/{name}")


class DeploymentDeleted(GatewayError):
    """The MillDeployment of a resumed stream was deleted."""

    code = "deployment_deleted"


class DeploymentTerminating(GatewayError):
    """The MillDeployment is being deleted."""

    code = "deployment_terminating"


class ManagedByGitOps(GatewayError):
    """A GitOps tool, which `owner` names, manages the MillDeployment."""

    code = "managed_by_gitops"


class WriteConflict(GatewayError):
    """Other writers change the object faster than the gateway can."""

    code = "write_conflict"


class InvalidRollout(GatewayError):
    """The id is not one of a rollout."""

    code = "invalid_rollout"


class RolloutNotFound(GatewayError):
    """The MillDeployment has no such rollout yet."""

    code = "rollout_not_found"


class RolloutExpired(GatewayError):
    """The history of the MillDeployment does not have the rollout any more."""

    code = "rollout_expired"


class ServiceNotFound(NameNotFound):
    """No MillDeployment has such a service."""

    code = "service_not_found"
    kind = "service"
    text = "service not found"


class AmbiguousService(GatewayError):
    """Several MillDeployments have a service of this name."""

    code = "ambiguous_service"
