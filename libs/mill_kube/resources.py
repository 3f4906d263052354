"""The kinds that we read or write, and their URLs: no discovery, no generated models."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mill_api import names


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object."""

    group: str
    """Empty for the core group."""
    version: str
    """Empty for what is no object, and has a path of its own: `/version`."""
    kind: str
    plural: str

    @property
    def api_version(self) -> str:
        """The `apiVersion` of objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """The name that kubectl uses: `deployments.apps`, or `pods` in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the URL path of an object, or of the collection; of all namespaces if `namespace` is None."""
        if not self.version:
            return f"/{self.plural}"
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if namespace is not None:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(part, safe="") for part in (name, subresource) if part is not None]
        return "/".join(parts)


MILL_DEPLOYMENTS: Final = Resource(names.GROUP, names.VERSION, names.KIND, names.PLURAL)
DEPLOYMENTS: Final = Resource("apps", "v1", "Deployment", "deployments")
REPLICA_SETS: Final = Resource("apps", "v1", "ReplicaSet", "replicasets")
CONTROLLER_REVISIONS: Final = Resource("apps", "v1", "ControllerRevision", "controllerrevisions")
SERVICES: Final = Resource("", "v1", "Service", "services")
PODS: Final = Resource("", "v1", "Pod", "pods")
EVENTS: Final = Resource("", "v1", "Event", "events")
INGRESSES: Final = Resource("networking.k8s.io", "v1", "Ingress", "ingresses")
CLAIMS: Final = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
CONFIG_MAPS: Final = Resource("", "v1", "ConfigMap", "configmaps")
NODES: Final = Resource("", "v1", "Node", "nodes")
"""Has no namespace."""
NAMESPACES: Final = Resource("", "v1", "Namespace", "namespaces")
"""Has no namespace. The right to read one can be granted in it."""
CRON_JOBS: Final = Resource("batch", "v1", "CronJob", "cronjobs")
JOBS: Final = Resource("batch", "v1", "Job", "jobs")
SECRETS: Final = Resource("", "v1", "Secret", "secrets")
POD_METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
"""There only where a metrics server is."""
TOKEN_REVIEWS: Final = Resource("authentication.k8s.io", "v1", "TokenReview", "tokenreviews")
SUBJECT_ACCESS_REVIEWS: Final = Resource("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews")
LEASES: Final = Resource("coordination.k8s.io", "v1", "Lease", "leases")
VERSION: Final = Resource("", "", "Info", "version")
"""The version of the API server, which is no object."""

BY_KIND: Final = {
    resource.kind: resource
    for resource in (
        MILL_DEPLOYMENTS,
        DEPLOYMENTS,
        SERVICES,
        PODS,
        EVENTS,
        INGRESSES,
        CLAIMS,
        CONFIG_MAPS,
        CRON_JOBS,
        JOBS,
    )
}
