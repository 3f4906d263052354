"""Identity, limits and place of pods: the fields that services and tasks share, with their types.

What holds across them is in `place_rules`, what a cluster permits of them in `pod_permissions`, and what they become in
`placement`.
"""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from mill_api.constraints import (
    GPUS,
    ID,
    MAX_ANNOTATION,
    MAX_GPU_KINDS,
    MAX_KEY,
    MAX_LABEL,
    MAX_LABELS,
)
from mill_api.fields import QUANTITY, ApiModel, Architecture, PullSecret, Quantity, number_to_text

NO_LIMIT: Final = "none"
"""The limit of CPU of a container that may use what is free on its node."""
NVIDIA: Final = "nvidia.com/gpu"
"""The resource that `gpu = 1` requests."""

_NUMBERS: Final = {"minimum": ID.least, "maximum": ID.most}
_ENTRIES: Final = {"maxProperties": MAX_LABELS}

CpuLimit = Annotated[
    str,
    Field(max_length=32, pattern=f"^{NO_LIMIT}$|{QUANTITY}", json_schema_extra={"x-kubernetes-int-or-string": True}),
    BeforeValidator(number_to_text),
]
Texts = dict[str, Annotated[str, Field(json_schema_extra={"maxLength": MAX_LABEL})]]


class Limits(ApiModel):
    """What a container may use, where that is more than it requests by `cpu` and `memory`."""

    cpu: CpuLimit | None = Field(
        None,
        description="CPU cores, at least those requested; none for all that are free on the node. If it is left out, "
        "those requested.",
    )
    memory: Quantity | None = Field(
        None,
        description="Memory in bytes, at least that requested, such as 512Mi. If it is left out, that requested.",
    )


class Place(ApiModel):
    """The nodes on which pods may run."""

    arch: Architecture | None = Field(None, description="Architecture of the nodes, such as amd64 or arm64.")
    labels: Annotated[Texts, Field(json_schema_extra=_ENTRIES)] = Field(
        default_factory=dict, description="Labels that the nodes must have."
    )
    tolerate: list[Annotated[str, Field(json_schema_extra={"maxLength": MAX_KEY})]] = Field(
        default_factory=list,
        json_schema_extra={"maxItems": MAX_LABELS},
        description="Keys of taints that the pods tolerate, of those that the operator's setting permits.",
    )


User = Annotated[
    int | None,
    Field(
        description="Number of the user that the program runs as. If it is left out, the image's.",
        json_schema_extra=_NUMBERS,
    ),
]
Group = Annotated[
    int | None,
    Field(
        description="Number of the group that the program runs as, and that its volumes belong to. If it is left out, "
        "the image's, and volumes stay as they are.",
        json_schema_extra=_NUMBERS,
    ),
]
ReadOnlyRoot = Annotated[
    bool, Field(description="Whether the file system of the image is read-only. Volumes stay as they are.")
]
Pull = Annotated[
    PullSecret | None,
    Field(
        description="Name of the Secret of type kubernetes.io/dockerconfigjson in the namespace with which nodes pull "
        "the image, instead of those of the ServiceAccount."
    ),
]
LimitsField = Annotated[Limits | None, Field(description="What a container may use beyond what it requests.")]
Gpu = Annotated[
    dict[str, Annotated[int, Field(json_schema_extra={"minimum": GPUS.least, "maximum": GPUS.most})]],
    Field(
        description="Number of GPUs by the name of their resource, such as nvidia.com/gpu.",
        json_schema_extra={"maxProperties": MAX_GPU_KINDS},
    ),
]
PlaceField = Annotated[Place | None, Field(description="The nodes on which pods may run. If it is left out, all.")]
Labels = Annotated[
    Texts,
    Field(description="Labels of the pods, of those that the operator's setting permits.", json_schema_extra=_ENTRIES),
]
Annotations = Annotated[
    dict[str, Annotated[str, Field(json_schema_extra={"maxLength": MAX_ANNOTATION})]],
    Field(
        description="Annotations of the pods, of those that the operator's setting permits.",
        json_schema_extra=_ENTRIES,
    ),
]
