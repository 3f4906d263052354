"""The types of the fields of a spec: texts by their rules, quantities, durations, names, and the base of its models."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from mill_api.constraints import MAX_COMMAND, MAX_ENV, MAX_TEXT
from mill_api.text_rules import SERVICE_NAME, SURGE, TEXT_RULES


class ApiModel(BaseModel):
    """Part of the resource: camelCase on the wire. Unknown fields are ignored, so that older operators can read it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


def number_to_text(value: object) -> object:
    """Accept `cpu: 2` and `memory: 256000000` in YAML, as Kubernetes does."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


INT_OR_STRING = "x-kubernetes-int-or-string"
"""Where a field's schema says that it is a number or a text."""

TEXT_RULE = "x-mill-text-rule"
"""Where a field's schema names its row in `text_rules.TEXT_RULES`, for the CRD."""


def _text(name: str) -> Any:
    """Return the constraints of one kind of text, as pydantic takes them."""
    rule = TEXT_RULES[name]
    return Field(
        min_length=rule.min_length,
        max_length=rule.max_length,
        pattern=rule.pattern,
        json_schema_extra={TEXT_RULE: name},
    )


QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"

Quantity = Annotated[
    str,
    Field(max_length=32, pattern=QUANTITY, json_schema_extra={INT_OR_STRING: True}),
    BeforeValidator(number_to_text),
]
"""A non-negative Kubernetes quantity: `500m`, `0.5`, `256M`, `1Gi`."""

Duration = Annotated[str, _text("duration")]
"""A duration in Go's notation: `10s`, `1h30m`."""

Image = Annotated[str, _text("image")]
EnvValue = Annotated[str, Field(max_length=MAX_TEXT)]
Env = Annotated[dict[str, EnvValue], Field(max_length=MAX_ENV)]
Command = Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=MAX_COMMAND)]
COMMAND_DESCRIPTION: Final = (
    "Program that replaces the image's entry point, with its first arguments. The image's own arguments are left out. "
    "References as in args."
)
ARGS_DESCRIPTION: Final = (
    "Arguments that replace the image's own; its entry point stays unless there is a command. ${secret(NAME)} and "
    "references such as ${service.NAME.address} are replaced by their values; any other ${ is text."
)
ServiceName = Annotated[str, _text("service_name")]
TaskName = Annotated[str, _text("task_name")]
VolumeName = Annotated[str, _text("volume_name")]
PortName = Annotated[str, _text("port_name")]
HostName = Annotated[str, _text("host_name")]
AbsolutePath = Annotated[str, _text("path")]
FilePath = Annotated[str, _text("file_path")]
FileMode = Annotated[str, _text("file_mode")]
SecretName = Annotated[str, _text("secret_name")]
HealthPath = Annotated[str, _text("health_path")]
SettleTime = Annotated[str, _text("settle")]
StartTime = Annotated[str, _text("start")]
Architecture = Annotated[str, _text("architecture")]
PullSecret = Annotated[str, _text("pull_secret")]
CheckTimeout = Annotated[str, _text("check_timeout")]
StopTime = Annotated[str, _text("stop")]
StopSignal = Annotated[str, _text("stop_signal")]
ScheduleDeadline = Annotated[str, _text("schedule_deadline")]
Surge = Annotated[
    str,
    Field(max_length=4, pattern=SURGE.pattern, json_schema_extra={INT_OR_STRING: True}),
    BeforeValidator(number_to_text),
]
"""A number of pods, or a percentage of the replicas."""
OtherService = Annotated[
    str, Field(json_schema_extra={"maxLength": SERVICE_NAME.max_length, "pattern": SERVICE_NAME.pattern})
]
"""The name of a service of the same file. The model accepts any text; `validation` refuses an unknown name."""
