"""Group, kind, labels and annotations: every name that more than one component must spell the same way."""

from typing import Final

GROUP: Final = "mill.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "MillDeployment"
PLURAL: Final = "milldeployments"

DEFAULT_NAME: Final = "mill"
"""The MillDeployment that `mill deploy` writes when nobody names another."""

MANAGED_BY: Final = "mill"
"""Value of `app.kubernetes.io/managed-by` on every child; the selector of every watch for children."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"

LABEL_DEPLOYMENT: Final = f"{GROUP}/deployment"
"""Name of the MillDeployment that an object belongs to."""

LABEL_SERVICE: Final = f"{GROUP}/service"
"""Name of the service; what Services and Deployments select pods by."""

LABEL_TASK: Final = f"{GROUP}/task"
"""Name of the task; task pods never carry the service's label, so that no Service selects them."""

LABEL_TEMPLATE: Final = f"{GROUP}/template"
"""Hash of the pod template. Tells new pods from old ones without asking a controller, whose status lags."""

ANNOTATION_APPLIED: Final = f"{GROUP}/applied"
"""Hash of what the operator last applied to a child."""

ANNOTATION_REQUEST: Final = f"{GROUP}/request"
"""Changed by who asks for a rollout without changing the spec, as Flux's `reconcile.fluxcd.io/requestedAt`."""

RESTART_PREFIX: Final = f"restart.{GROUP}/"
"""Before a service's name: an annotation whose change restarts that service, as `kubectl rollout restart` would."""

ANNOTATION_RESTART: Final = f"{GROUP}/restart"
"""The same on the service's pods."""

SECRET_NAME: Final = "mill-secrets"  # noqa: S105 - the name of a Secret, not a secret
"""The namespace's Kubernetes Secret that holds mill's secrets, one key each."""

CHILD_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_DEPLOYMENT}"

SERVICE_NAME: Final = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
"""A Service's rule (RFC 1035): it becomes a DNS name and an environment variable prefix."""
TASK_NAME: Final = r"^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$"
"""52 characters at most: a CronJob's limit, which leaves room for the Job's suffix."""
VOLUME_NAME: Final = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
SECRET_KEY: Final = r"^[-._a-zA-Z0-9]{1,253}$"  # noqa: S105
ENV_NAME: Final = r"^[-._a-zA-Z][-._a-zA-Z0-9]{0,252}$"
HOST_NAME: Final = r"^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$"
