"""Failures of requests: one class for each, with a stable `code` that programs compare.

None of them knows HTTP: `errors` has the table of statuses. A code is never renamed; docs/api.md lists all of them.
"""

from collections.abc import Iterator
from typing import Any, ClassVar


class GatewayError(Exception):
    """A request that is answered with an error."""

    code: ClassVar[str]
    text: ClassVar[str] = ""
    """The message of a failure that always has the same."""

    def __init__(self, message: str = "", **details: Any) -> None:
        """Take a message for people, and further keys of the answer for programs."""
        self.message = message or self.text
        self.details = details
        super().__init__(self.message)


def error_classes(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Yield every class that has a code."""
    for each in base.__subclasses__():
        if "code" in vars(each):
            yield each
        yield from error_classes(each)


# Access


class AuthenticationRequired(GatewayError):
    """The request has no token, or a wrong one."""

    code = "authentication_required"


class AccessDenied(GatewayError):
    """Base of the failures of a caller that is known, and may not do this."""


class NotPermitted(AccessDenied):
    """The caller has no right to do this."""

    code = "not_permitted"


class NamespaceNotServed(AccessDenied):
    """The gateway serves a single namespace, and this is another one."""

    code = "namespace_not_served"


class LocalRequestsOnly(AccessDenied):
    """Authentication is off, and the request may come from a page of another site."""

    code = "local_requests_only"
    text = "authentication is disabled: only requests from localhost are accepted"


class AccessCheckFailed(GatewayError):
    """The API server does not review a token or a right."""

    code = "access_check_failed"


# Requests


class MalformedRequest(GatewayError):
    """The bytes of the request are not HTTP, or its body cannot be read."""

    code = "malformed_request"


class AmbiguousBodyLength(GatewayError):
    """The end of the request is in doubt: a proxy in front may have read it differently."""

    code = "ambiguous_body_length"
    text = (
        "a request must not have both Content-Length and Transfer-Encoding, nor HTTP/1.0 the latter: a proxy in front "
        "may have read it differently"
    )


class InvalidParameters(GatewayError):
    """A parameter of the path, the query or the headers has a wrong value."""

    code = "invalid_parameters"


class InvalidEventId(GatewayError):
    """`Last-Event-ID` is not an id of this gateway's events."""

    code = "invalid_event_id"


class InvalidJson(GatewayError):
    """The body is not JSON."""

    code = "invalid_json"


class InvalidBody(GatewayError):
    """The body is JSON of the wrong shape."""

    code = "invalid_body"


class UnsupportedContentType(GatewayError):
    """The body is not declared as JSON."""

    code = "unsupported_content_type"
    text = "expected request with `Content-Type: application/json`"


class PathNotFound(GatewayError):
    """The gateway has no such path."""

    code = "path_not_found"


class MethodNotAllowed(GatewayError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"


class RequestTimeout(GatewayError):
    """The client did not send a complete request in time."""

    code = "request_timeout"


class ClientDisconnected(GatewayError):
    """The client closed the connection. Only the log shows this failure."""

    code = "client_disconnected"
    text = "the client closed the connection"


class InternalError(GatewayError):
    """A fault of the gateway itself."""

    code = "internal_error"
    text = "internal error: the gateway's log says more under this request's id"


# Limits


class LimitReached(GatewayError):
    """A limit of the gateway: too many at once, too large, or too slow."""

    code = "limit_reached"
    limit: str = ""
    """Name of the limit in the metrics; empty if they count it elsewhere."""

    def __init__(self, message: str = "", *, limit: str = "", retry_after: int | None = None) -> None:
        """Take the message, the limit's name, and after how many seconds the request may be repeated."""
        super().__init__(message)
        self.limit = limit or self.limit
        self.retry_after = retry_after


class BodyTooLarge(LimitReached):
    """The body has more bytes than its route accepts."""

    code = "body_too_large"
    limit = "body_size"


class BodyTimeout(LimitReached):
    """The body was not complete in time."""

    code = "body_timeout"
    limit = "body_time"


class HeadTooLarge(LimitReached):
    """The request line and the headers are too large."""

    code = "head_too_large"
    limit = "head_size"


class TooManyConnections(LimitReached):
    """The gateway has as many connections as it accepts."""

    code = "too_many_connections"
    text = "too many connections are open: try again in a moment (MILL_MAX_CONNECTIONS)"


class TooManyConnectionsFromAddress(LimitReached):
    """One address has as many connections as the gateway accepts from it."""

    code = "too_many_connections_from_address"
    text = "too many connections are open from this address: try again in a moment (MILL_MAX_CONNECTIONS_PER_ADDRESS)"


# The cluster


class ClusterUnreachable(GatewayError):
    """The API server does not answer."""

    code = "cluster_unreachable"


class RefusedByCluster(GatewayError):
    """The API server refused a request of the gateway. `status` is the HTTP status of its answer."""

    code = "refused_by_cluster"

    def __init__(self, message: str, *, status: int, **details: Any) -> None:
        super().__init__(message, **details)
        self.status = status


class NotSynced(GatewayError):
    """The gateway has just started, and its caches are not synced."""

    code = "not_synced"


class NamespaceNotFound(GatewayError):
    """The cluster has no such namespace."""

    code = "namespace_not_found"
    text = "namespace not found"


# Deployments and rollouts


class InvalidMillFile(GatewayError):
    """The `.mill` file has errors; `diagnostics` has all of them."""

    code = "invalid_mill_file"


class DeploymentNotFound(GatewayError):
    """The namespace has no such MillDeployment."""

    code = "deployment_not_found"


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


class ServiceNotFound(GatewayError):
    """No MillDeployment has such a service."""

    code = "service_not_found"
    text = "service not found"


class AmbiguousService(GatewayError):
    """Several MillDeployments have a service of this name."""

    code = "ambiguous_service"


# Tasks and runs


class TaskNotFound(GatewayError):
    """No MillDeployment has such a task."""

    code = "task_not_found"
    text = "task template not found"


class RunNotFound(GatewayError):
    """The namespace has no such run."""

    code = "run_not_found"
    text = "task not found"


class NotARun(GatewayError):
    """The name is a replica's of a service."""

    code = "not_a_run"
    text = "allocation is not a task"


class InvalidRun(GatewayError):
    """A run cannot be made as the request describes it."""

    code = "invalid_run"


class RunNotStarted(GatewayError):
    """The run failed before its program started; `reason` has the failure code."""

    code = "run_not_started"


class InsufficientResources(GatewayError):
    """No node has room for the run; `detail` has the scheduler's message."""

    code = "insufficient_resources"


# Secrets, volumes, nodes


class SecretNotFound(GatewayError):
    """The namespace has no such secret."""

    code = "secret_not_found"
    text = "secret not found"


class SecretNotText(GatewayError):
    """The value of the secret is not UTF-8 text."""

    code = "secret_not_text"
    text = "the secret is not UTF-8 text; read it with kubectl"


class InvalidSecretName(GatewayError):
    """Kubernetes does not accept the name as a key of a Secret."""

    code = "invalid_secret_name"
    text = "a secret's name has letters, digits, `-`, `_` and `.`, at most 253 of them, and no `..` in front"


class SecretsTooLarge(GatewayError):
    """The secrets of a namespace are larger than a Kubernetes Secret may be."""

    code = "secrets_too_large"
    text = "the secrets of a namespace may have 1 MiB together"


class SecretImmutable(GatewayError):
    """The cluster accepts no change of the Kubernetes Secret."""

    code = "secret_immutable"


class VolumeNotFound(GatewayError):
    """The namespace has no such volume."""

    code = "volume_not_found"
    text = "volume not found"


class VolumeAttached(GatewayError):
    """A pod, which `pod` and `node` name, uses the volume."""

    code = "volume_attached"
    text = "volume is attached"


class NodeNotFound(GatewayError):
    """The cluster has no such node."""

    code = "node_not_found"
    text = "node not found"


class NodeInUse(GatewayError):
    """Pods, which `pods` names, run on the node."""

    code = "node_in_use"
    text = "node has active allocations"


class DrainDisabled(GatewayError):
    """The settings do not let the gateway drain or remove nodes."""

    code = "drain_disabled"
    text = "this gateway does not drain or remove nodes: `MILL_DRAIN=true` lets it"
