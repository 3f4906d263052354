"""Group, kind, labels and annotations: every name that more than one component uses."""

from typing import Final

GROUP: Final = "mill.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "MillDeployment"
PLURAL: Final = "milldeployments"

DEFAULT_NAME: Final = "mill"
"""The MillDeployment that `mill deploy` writes by default."""

MANAGED_BY: Final = "mill"
"""Value of `app.kubernetes.io/managed-by` on every child object, by which watches select them."""

OPERATOR_FIELD_MANAGER: Final = "mill-operator"
GATEWAY_FIELD_MANAGER: Final = "mill-gateway"
"""Field managers: the names under which operator and gateway write fields of objects."""

REPLICAS_FIELD_MANAGER: Final = "mill-operator-replicas"
"""Holds the number of replicas of a Deployment whose service leaves it to an autoscaler from now on."""

LEASE_NAME: Final = "mill-operator"
"""Name of the Lease by which replicas of the operator elect a leader."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"

LABEL_DEPLOYMENT: Final = f"{GROUP}/deployment"
"""Name of the MillDeployment that an object belongs to."""

LABEL_SERVICE: Final = f"{GROUP}/service"
"""Name of the service, by which Services and Deployments select pods."""

LABEL_TASK: Final = f"{GROUP}/task"
"""Name of the task. Pods of tasks do not have the service's label, so that no Service selects them."""

LABEL_TEMPLATE: Final = f"{GROUP}/template"
"""Hash of the pod template. It separates new pods from old ones without a controller's status, which lags."""

LABEL_FILES: Final = f"{GROUP}/files"
"""Digest of the contents of a service's or task's files, on their ConfigMap and on every pod template that mounts it.

By it, ReplicaSets and Jobs of older versions show which ConfigMaps they need."""

ANNOTATION_APPLIED: Final = f"{GROUP}/applied"
"""Hash of the object that the operator last applied."""

ANNOTATION_REQUEST: Final = f"{GROUP}/request"
"""A change of its value requests a rollout of an unchanged spec, as Flux's `reconcile.fluxcd.io/requestedAt`."""

RESTART_PREFIX: Final = f"restart.{GROUP}/"
"""Prefix of a service's name: a change of the annotation restarts that service, as `kubectl rollout restart` does."""

ANNOTATION_RESTART: Final = f"{GROUP}/restart"
"""The value of that annotation, on the service's pods."""

ANNOTATION_PAUSED: Final = f"{GROUP}/paused"
"""On a MillDeployment: any value but `false` and nothing keeps the operator from acting on it."""

ANNOTATION_ASKED: Final = f"{GROUP}/asked"
"""On a MillDeployment, by the gateway: who asked for which spec, as JSON. On a revision: who asked for it."""

ANNOTATION_ALLOWED_HOSTS: Final = f"{GROUP}/allowed-hosts"
"""On a Namespace: the hosts that its services may have, separated by commas."""
ANNOTATION_SHARED_ROUTES: Final = f"{GROUP}/shared-routes"
"""On a Namespace: `true` if its services may have the routes of others, and others theirs."""

SECRET_NAME: Final = "mill-secrets"  # noqa: S105 - the name of a Secret, not a secret
"""The namespace's Kubernetes Secret that holds mill's secrets, one key each."""

REGISTRIES_SECRET: Final = "mill-registries"  # noqa: S105 - the name of a Secret
"""The namespace's Kubernetes Secret of registry credentials, of the type that kubelets read."""

LABEL_JOB: Final = "batch.kubernetes.io/job-name"
"""Kubernetes' own label on the pods of a Job: its name."""

CHILD_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGED_BY},{LABEL_DEPLOYMENT}"

SERVICE_NAME: Final = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
"""The form of a Kubernetes Service's name (RFC 1035)."""
TASK_NAME: Final = r"^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$"
"""At most 52 characters: the limit of a CronJob, which leaves room for the suffix of its Jobs."""
DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
"""The form of a namespace (RFC 1123), and of the name of a MillDeployment."""
VOLUME_NAME: Final = DNS_LABEL
PORT_NAME: Final = r"^([0-9]-?)*[a-z](-?[a-z0-9])*$"
"""The form of a port's name (IANA_SVC_NAME), apart from its length."""
SECRET_KEY: Final = r"^[-._a-zA-Z0-9]{1,253}$"  # noqa: S105
ENV_NAME: Final = r"^[-._a-zA-Z][-._a-zA-Z0-9]{0,252}$"
HOST_NAME: Final = r"^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$"
