"""The blocks and attributes of a `.mill` file. A new attribute is one row here, and its field in `mill_api.spec`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mill_api.constraints import FAILURE_THRESHOLD, PORT, REPLICAS
from mill_language import check_values, place_values, values
from mill_language.inputs import MAX_VALUE
from mill_language.values import Reader


@dataclass(frozen=True, slots=True)
class Attr:
    """`name = value`."""

    read: Reader
    example: str
    required: bool = False
    nullable: bool = False
    """Whether `null` means the same as leaving it out."""
    alternatives: tuple[str, ...] = ()
    """The attributes instead of which it is required: one of all must be there."""
    needs: tuple[str, ...] = ()
    """The attributes without any of which it has no meaning."""
    key: str | None = None
    """Name of the model's field, if it is another."""
    meaning: str | None = None
    """What it means, if the model has no field for it: it is resolved when the file is read."""
    blocks: "Nested | None" = None
    """The blocks of the same name."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Blocks with a label, and with attributes of any name. They are resolved when the file is read."""

    read: Reader
    example: str
    meaning: str
    key: str


@dataclass(frozen=True, slots=True)
class Table:
    """A block with attributes of any name: `env`."""

    read: Reader
    example: str = 'env { NAME = "value" }'


@dataclass(frozen=True, slots=True)
class Nested:
    """A block. Without a label there is at most one of it."""

    shape: "Shape"
    label: str | None = None
    """Name of the model's field for its label, if it has one; then there may be many, with different labels."""
    key: str | None = None
    nullable: bool = False
    attribute: str = ""
    """The attribute of the same name with a value, where there is one: who leaves out the label may mean that."""

    @property
    def example(self) -> str:
        """An example of such a block."""
        return f'{self.shape.name} "{self.shape.label_example}" {{ … }}' if self.label else f"{self.shape.name} {{ … }}"


@dataclass(frozen=True, slots=True)
class Shape:
    """The attributes and blocks that one kind of block may contain."""

    name: str
    fields: "Mapping[str, Attr | Table | Tables | Nested]" = field(default_factory=dict)
    label_example: str = "name"
    meaning: str | None = None
    """What it means, if there is no model for it: it is resolved when the file is read."""
    demanding: "tuple[tuple[str, Attr], ...]" = field(init=False)
    """The attributes that are required, or need others: few of them, and looked at in every block."""

    def __post_init__(self) -> None:
        attributes = ((name, row) for name, row in self.fields.items() if isinstance(row, Attr))
        demanding = tuple((name, row) for name, row in attributes if row.required or row.needs)
        object.__setattr__(self, "demanding", demanding)


Row = Attr | Table | Tables | Nested


def key_of(name: str, row: Row) -> str:
    """Return the name of the field for an attribute or a kind of block."""
    return (row.key if not isinstance(row, Table) else None) or name


VARIABLE: Final = Shape(
    "variable",
    {
        "default": Attr(
            values.variable,
            '"1.4"',
            meaning="Value that the variable has if none is given: a string, a number, true or false. At most "
            f"{MAX_VALUE:,} characters.",
        )
    },
    label_example="tag",
    meaning="A value that may differ from one deploy to another. `${var.NAME}` in any string of the file is replaced "
    "by it.",
)
DECLARATIONS: Final = Shape("top level", {"variable": Nested(VARIABLE, label="name", key="variables")})
"""What is read before all else."""
_USE: Final = Attr(
    values.names("environments"),
    '["rails"]',
    nullable=True,
    meaning="Names of `env` blocks of the file whose variables it gets. Later ones win over earlier ones, and its own "
    "`env` wins over all.",
)
_ENV_FILE: Final = Attr(
    values.names("files"),
    '["staging.env"]',
    nullable=True,
    meaning="Files with a `NAME=value` on each line, beside the `.mill` file or in a folder there, which `mill` reads. "
    "What the `.mill` file says wins over them.",
)
_CHECKS: Final = ("path", "command", "grpc", "port")


def _check(path: Attr) -> Mapping[str, Row]:
    """Return what blocks of checks share. `path` is the attribute that is written first."""
    return {
        "path": path,
        "command": Attr(values.command, '["pg_isready"]', nullable=True),
        "grpc": Attr(check_values.grpc, "true", nullable=True),
        "port": Attr(check_values.port, "9001"),
        "headers": Table(place_values.label_value, 'headers = { Host = "shop.example.com" }'),
        "interval": Attr(values.duration, '"10s"', needs=_CHECKS),
        "timeout": Attr(values.duration, '"5s"', needs=_CHECKS),
        "failure_threshold": Attr(values.integer("u32", FAILURE_THRESHOLD), "3", nullable=True, needs=_CHECKS),
    }


HEALTH: Final = Shape(
    "health",
    {
        **_check(
            Attr(values.health_path, '"/healthz"', required=True, alternatives=("command", "grpc", "port", "start"))
        ),
        "start": Attr(values.duration, '"3m"', nullable=True),
    },
)
LIVE: Final = Shape(
    "live",
    _check(Attr(values.health_path, '"/alive"', required=True, alternatives=("command", "grpc", "port"))),
)
UPDATE: Final = Shape(
    "update",
    {
        "settle": Attr(values.duration, '"10s"', nullable=True),
        "surge": Attr(check_values.surge, '"25%"', nullable=True),
    },
)
NAMED_PORT: Final = Shape(
    "port",
    {
        "number": Attr(values.integer("u16", PORT), "9090", required=True),
        "protocol": Attr(values.choice("tcp", "udp"), '"udp"'),
        "outside": Attr(values.integer("u16", PORT), "222", nullable=True),
    },
    label_example="metrics",
)
ROUTE: Final = Shape(
    "route",
    {"path": Attr(values.absolute_path, '"/"'), "websocket": Attr(values.boolean, "true")},
    label_example="www.example.com",
)
VOLUME: Final = Shape(
    "volume",
    {
        "path": Attr(values.absolute_path, '"/data"', required=True),
        "size": Attr(values.volume_size, '"5Gi"', nullable=True),
        "ephemeral": Attr(values.boolean, "true"),
    },
    label_example="data",
)
MOUNTED_FILE: Final = Shape(
    "file",
    {
        "content": Attr(values.file_content, '"listen = 8080"', nullable=True),
        "from": Attr(
            values.file_name,
            '"conf/app.conf"',
            meaning="File beside the `.mill` file, or in a folder there, whose text is the content. `mill` reads it, "
            "and the resource has the text. It is UTF-8, and no link. Instead of `content`.",
        ),
        "secret": Attr(values.secret_name, '"db.password"', nullable=True),
        "mode": Attr(values.file_mode, '"0755"', nullable=True),
    },
    label_example="/etc/app.conf",
)
LIMITS: Final = Shape(
    "limits",
    {
        "cpu": Attr(place_values.cpu_limit, "2", nullable=True),
        "memory": Attr(values.size, '"1G"', nullable=True),
    },
)
PLACE: Final = Shape(
    "place",
    {
        "arch": Attr(values.text, '"arm64"', nullable=True),
        "labels": Table(place_values.label_value, 'labels = { disk = "ssd" }'),
        "tolerate": Attr(place_values.taint_keys, '["gpu"]', nullable=True),
    },
)
_POD: Final[Mapping[str, Row]] = {
    "user": Attr(place_values.user, "1000", nullable=True),
    "group": Attr(place_values.group, "1000", nullable=True),
    "read_only_root": Attr(values.boolean, "true"),
    "pull": Attr(values.text, '"registry-login"', nullable=True),
    "limits": Nested(LIMITS, nullable=True),
    "gpu": Attr(place_values.gpu, "1", nullable=True),
    "place": Nested(PLACE, nullable=True),
    "labels": Table(place_values.label_value, 'labels = { "example.com/team" = "shop" }'),
    "annotations": Table(place_values.label_value, 'annotations = { "example.com/scrape" = "true" }'),
    "stop": Attr(values.duration, '"45s"', nullable=True),
    "stop_signal": Attr(values.text, '"SIGQUIT"', nullable=True),
}
"""What services and tasks say of their pods."""
SERVICE: Final = Shape(
    "service",
    {
        "image": Attr(values.text, '"nginx:1.29"', required=True),
        "port": Attr(
            values.integer("u16", PORT),
            "8080",
            blocks=Nested(NAMED_PORT, label="name", key="ports", attribute="port = 8080"),
        ),
        "replicas": Attr(values.integer("u32", REPLICAS), "2"),
        "cpu": Attr(values.cpu, "0.5"),
        "memory": Attr(values.size, '"256M"'),
        "command": Attr(values.command, '["serve"]', nullable=True),
        "args": Attr(values.arguments, '["--workers", "4"]', nullable=True),
        "after": Attr(values.service_names, '["db"]', nullable=True),
        "env": Table(values.env_value),
        "use": _USE,
        "env_file": _ENV_FILE,
        "health": Nested(HEALTH, nullable=True),
        "live": Nested(LIVE, nullable=True),
        "update": Nested(UPDATE, nullable=True),
        "route": Nested(ROUTE, label="host", key="routes"),
        "volume": Nested(VOLUME, label="name", key="volumes"),
        **_POD,
        "file": Nested(MOUNTED_FILE, label="path", key="files"),
    },
    label_example="web",
)
TASK: Final = Shape(
    "task",
    {
        "image": Attr(values.text, '"migrate:2"', required=True),
        "cpu": Attr(values.cpu, "0.5"),
        "memory": Attr(values.size, '"256M"'),
        "timeout": Attr(values.duration, '"1h"'),
        "schedule": Attr(values.text, '"0 3 * * *"', nullable=True),
        "timezone": Attr(values.text, '"Europe/Berlin"', nullable=True, needs=("schedule",)),
        "overlap": Attr(values.boolean, "true"),
        "deadline": Attr(values.duration, '"10m"', nullable=True, needs=("schedule",)),
        "command": Attr(values.command, '["migrate"]', nullable=True),
        "args": Attr(values.arguments, '["migrate"]', nullable=True),
        "before": Attr(values.service_names, '["web"]', nullable=True),
        "after": Attr(values.service_names, '["web"]', nullable=True),
        "env": Table(values.env_value),
        "use": _USE,
        "env_file": _ENV_FILE,
        **_POD,
        "file": Nested(MOUNTED_FILE, label="path", key="files"),
    },
    label_example="migrate",
)
FILE: Final = Shape(
    "top level",
    {
        **DECLARATIONS.fields,
        "env": Tables(
            values.env_value,
            'env "rails" { … }',
            "Environment variables that services and tasks get by `use`, with the same references as in `env`.",
            "environments",
        ),
        "service": Nested(SERVICE, label="name", key="services"),
        "task": Nested(TASK, label="name", key="tasks"),
    },
)
