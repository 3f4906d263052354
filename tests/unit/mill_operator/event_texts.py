"""Texts of Events, each as (reason, message). Recorded on Kubernetes 1.35 where nothing else is said."""

MOUNT_OF_NOTHING = (
    "FailedMount",
    (
        'MountVolume.SetUp failed for volume "rec-mount" : hostPath type check failed: '
        "/no/such/directory is not a directory"
    ),
)
# Recorded on Kubernetes 1.37, of a pod that got its node and its claim in the same moment.
MOUNT_BEFORE_THE_API_SERVER_KNOWS = (
    "FailedMount",
    (
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process "
        "volumes=[data]: error processing PVC shop/data: failed to fetch PVC from API server: persistentvolumeclaims "
        '"data" is forbidden: User "system:node:node-1" cannot get resource "persistentvolumeclaims" in API group "" '
        "in the namespace \"shop\": no relationship found between node 'node-1' and this object"
    ),
)
# pkg/volume/csi of Kubernetes: the words around a driver's own.
MOUNT_OF_A_BROKEN_DISK = (
    "FailedMount",
    'MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Internal desc = cannot format /dev/sdb',
)
# pkg/volume/csi/csi_client.go: a node on which the driver's own pod is still starting.
MOUNT_BEFORE_ITS_DRIVER = (
    "FailedMount",
    (
        'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create '
        "newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers"
    ),
)
# pkg/controller/volume/attachdetach/reconciler/reconciler.go
ATTACHED_ELSEWHERE = (
    "FailedAttachVolume",
    'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-649fb6c97-aaaaa',
)
# containernetworking/plugins, plugins/ipam/host-local, in the kubelet's and containerd's words.
NO_ADDRESS = (
    "FailedCreatePodSandBox",
    (
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5f43": '
        'plugin type="bridge" failed (add): no IP addresses available in range set: 10.244.0.1-10.244.63.254'
    ),
)
PULLING = ("Pulling", 'Pulling image "registry.example/web:1"')
PULL_FAILED = (
    "Failed",
    (
        'Failed to pull image "registry.example/web:1": rpc error: code = NotFound desc = failed to pull and unpack '
        'image "registry.example/web:1": failed to resolve reference "registry.example/web:1": '
        "registry.example/web:1: not found"
    ),
)
PULL_THROTTLED = ("Failed", 'Failed to pull image "registry.example/web:1": pull QPS exceeded')
BACK_OFF = ("BackOff", 'Back-off pulling image "registry.example/web:1"')
NO_CREDENTIALS = (
    "FailedToRetrieveImagePullSecret",
    "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
)
UNKNOWN_CLASS = ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
NO_CLASS = ("FailedBinding", "no persistent volumes available for this claim and no storage class is set")
NO_PROVISIONER = (
    "ExternalProvisioning",
    (
        "Waiting for a volume to be created either by the external provisioner 'example.com/nobody' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered."
    ),
)
# kubernetes-csi/external-provisioner: the words around a driver's own.
NO_SPACE = (
    "ProvisioningFailed",
    'failed to provision volume with StorageClass "standard": rpc error: code = ResourceExhausted desc = no space left',
)
UNHEALTHY = ("Unhealthy", "Readiness probe failed: dial tcp 10.244.0.173:8080: connect: connection refused")
# https://github.com/kubernetes/autoscaler/issues/923
SCALE_UP = ("TriggeredScaleUp", "pod triggered scale-up: [{1.default.nodes.ASG-XXXXXX 37->38 (max: 39)}]")
NO_SCALE_UP = ("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")
# The Job controller, of a pod that a quota forbids.
FAILED_CREATE = (
    "FailedCreate",
    (
        'Error creating: pods "web-1-x8k2p" is forbidden: exceeded quota: small, requested: limits.memory=256M, '
        "used: limits.memory=0, limited: limits.memory=10M"
    ),
)
