"""The text of docs/mill-file.md.

Attributes, forms, defaults, limits and messages come from the language and the models, so that an added one appears by
itself. This module has only the text around them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

from mill_api.crd import limits, structural
from mill_api.durations import parse_duration
from mill_api.fields import ApiModel
from mill_api.manifests import GRACE_SECONDS, LEAVE_SECONDS
from mill_api.quantities import bytes_of, cores_of, parse_size
from mill_api.references import MEANINGS, OPEN, Literal, SecretRef, ServiceRef, format_value
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import MAX_REFERENCES, MAX_TEXT_BYTES
from mill_language import values
from mill_language.declarations import MAX_SHARED, MAX_SOURCES
from mill_language.diagnostics import InvalidConfig
from mill_language.inputs import MAX_ENV_FILE_BYTES, MAX_VALUE, MAX_VARIABLES
from mill_language.parser import parse
from mill_language.reading import MAX_BYTES
from mill_language.samples import CONFLICTS, EXAMPLE, INVALID_TEXTS, VARIABLES_EXAMPLE
from mill_language.schema import FILE, Attr, Nested, Row, Shape, Table, Tables, key_of
from mill_language.substitution import MAX_INSERTED
from mill_language.values import Reader

_HEADER: Final = f"""\
<!-- Generated from mill_api.spec and mill_language by `make generate`; do not edit. -->
# The `.mill` file

`mill validate FILE` reports every problem of a file, without a cluster; `mill render FILE` shows the resource that the
file becomes. The syntax is HCL. Values are read and never computed: there are no expressions.

- A file is UTF-8 without a byte order mark, at most {MAX_BYTES // 1024} KiB. Comments are `# …`, `// …` and `/* … */`.
- An attribute is `name = value`, on a line of its own; `;` does not separate attributes. Unknown and duplicate names
  are refused.
- The environments, commands and arguments of all services and tasks together have at most {MAX_TEXT_BYTES // 1024} KiB.
  The environment of one service or task has at most {MAX_REFERENCES:,} references, and so have its command and
  arguments together. These limits also apply to resources that are not written as a file.
- The `{{` of a block stands on the line of its name. A block on one line holds at most one attribute:
  `route "www.example.com" {{ path = "/" }}`.
- A label is quoted, unless it is a plain word: `service web {{`.
- A block may also be written as an object: `env = {{ "my.name" = "1", B = "2" }}`. Its names may be quoted, and a comma
  or a new line separates its entries. An object can hold all blocks of one kind:
  `route = {{ "www.example.com" = {{ path = "/" }} }}`.
"""

_VALUES: Final = """\
**Strings** are quoted, on one line, with the escapes `\\n`, `\\r`, `\\t`, `\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`.
A text of several lines is a heredoc: `<<EOT`, the lines, and a line with `EOT` alone; `<<-EOT` removes the indentation
that all lines share. In a heredoc a backslash has no special meaning, and the end of the last line belongs to the text.

**Numbers** are decimal, without quotes: `8080`, `0.5`, `1e2`. **Booleans** are `true` and `false`."""

_SIZES: Final = """\
A number and a unit, in quotes. `k`, `M`, `G`, `T`, `P` and `E` are powers of 1000; `Ki`, `Mi`, `Gi`, `Ti`, `Pi` and
`Ei` are powers of 1024. A `B` may follow, capitals do not matter, and a number without a unit is in bytes."""

_DURATIONS: Final = """\
Numbers with units, in quotes, which are added up: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `w`, `M`, `y`, or words such as
`sec`, `min`, `hours` and `days`. Capitals matter: `m` is a minute, and `M` is a month."""

_REFERENCES: Final = "Values in `env`, `command` and `args` may refer to values that only the cluster knows:"

_REFERENCES_END: Final = """\
A reference stands anywhere in a text, or alone without quotes: `KEY = secret(NAME)`. Numbers and booleans in `env` are
read as text.

In `command` and `args` only what is exactly a reference is one; every other `${…}` is text, which a shell in the
container may expand. `$${service.db.host}` is the text `${service.db.host}`. In `args` a reference to a service that
the file does not have is refused; in `command` it is text. Whoever may list the processes of a container can read the
value of a secret in its arguments: `env` is the better place for it.

A service that refers to another one is patient with it ([Order](#order)).

### Entry point and arguments

`args` are arguments for the image's own entry point. `command` replaces the entry point, and the image's arguments with
it. What Compose calls `command` is `args` here, and its `entrypoint` is `command`:

```hcl
service "cache" {
  image = "redis:8"
  port  = 6379
  args  = ["redis-server", "--requirepass", "${secret(redis.password)}"]
}

service "worker" {
  image = "registry.example/shop/web:2.1"
  args  = ["worker", "--queue", "${service.cache.address}"]
  env {
    REDIS_HOST = "${service.cache.host}"
    REDIS_PORT = "${service.cache.port}"
  }
}
```"""

_VARIABLES: Final = f"""\
What differs from one deploy to another is a variable, and what several services share is an `env` block of the file:

```hcl
{VARIABLES_EXAMPLE}```

`mill` resolves all of it when it reads the file: the resource has the values, and so has the output of `mill render`,
which is what belongs into Git for Argo CD and Flux. The gateway reads no other files: `mill deploy` sends it the file
that results. Values are text: there are no expressions, conditions or loops.

A variable has the first of these values:

1. `--var tag=2.1`; of several for one name, the last.
2. `tag=2.1` in a file that `--vars FILE` names; of several files, the last that has it.
3. the environment variable `MILL_VAR_tag`.
4. its `default`.

One without any value is an error, as is a value of `--var` or `--vars` for a name that the file does not declare. One
that is declared and not used is a warning.

`${{var.NAME}}` stands in every string of a file that declares a variable, labels of blocks included. Without quotes,
as in `replicas = var.replicas`, the value may also be a number or boolean. `$${{var.NAME}}` is the text
`${{var.NAME}}`. In a file without any variable, `${{var.NAME}}` is text outside of `env`, as all `${{…}}` are. Values
are in the resource, for all to read: a password belongs into a [secret](#references).

Files of `--vars` and of `env_file` have a `NAME=value` on each line. Lines that begin with `#` are comments, as is ` #`
with what follows a value. A value may be in quotes: in `'…'` all is text, in `"…"` `\\n`, `\\"` and `\\\\` are escapes.
`$` is text: nothing in such a file refers to anything. Files of `env_file` are in the folder of the `.mill` file or
below, and are no links.

- A file has at most {MAX_VARIABLES} variables, each of at most {MAX_VALUE:,} characters; all of their uses together add
  at most {MAX_INSERTED // 1024} KiB.
- A file of values has at most {MAX_ENV_FILE_BYTES // 1024} KiB.
- `use` and `env_file` name at most {MAX_SOURCES} each, and add at most {MAX_SHARED:,} variables to all services and
  tasks together.
"""

_ROLLOUTS: Final = f"""\
### Order

All services start at once. One that refers to another is patient: as long as no replica of the other one is ready,
its own crashes and failed checks are no failure. A service refers to another one by a reference in `env`, `command` or
`args`, by a value of `env` that is the name, or by an address or URL with that host: `DB_HOST = "db"`, `redis://redis:6379/0`.
Services that refer to one another in a ring do not wait for one another.

`after = ["db"]` is strict: the replicas of a new version are not created before the new version of `db` has settled. If
`db` fails, they are not created at all, and the old ones keep serving.

### Start

A replica has its time from the start of its container until it is ready: `start` in `health` if it is given, else
`interval` times `failure_threshold`, but at least 30 s. A pull of the image does not count.

### Success

An update has succeeded when all replicas have stayed ready for the time of `settle`. If one of them crashes or becomes
unready in between, the time begins again, unless that is a failure. Old replicas end only after that time.

### Stop

A replica that ends gets SIGTERM, and {GRACE_SECONDS} s later SIGKILL. A replica with a port and without a persistent
volume leaves its Service first and serves for another {LEAVE_SECONDS} s before SIGTERM, so that requests that are on
their way reach it.
"""

_ROUTES: Final = """\
A route is a host name and a path prefix: `/` and `/api` are different routes, as are `*.example.com` and
`www.example.com`. A slash at the end of a path makes no difference. Requests go to the longest path of the most
specific host, whoever has it.

A route belongs to the service that has it in the cluster, also in another MillDeployment or namespace. A second
service with the same route fails with [`RouteTaken`](failure-codes.md#routetaken), and one with a host that its
namespace does not allow with [`HostNotAllowed`](failure-codes.md#hostnotallowed). In both cases the replicas of its new
version run, and its Ingress stays as it was, with all its routes. The operator writes it when the route is free, or the
host is allowed.
An administrator sets [what a namespace may have](operations.md#limit-hosts-and-routes).
"""

_SIZE_EXAMPLES: Final = ("512M", "512Mi", "1.5 GB", "1m", "4096")
_DURATION_EXAMPLES: Final = ("10s", "90 sec", "1h 30min", "1.5h", "2 days", "1M")

_NOTATIONS: Final[Mapping[Reader, str]] = {
    values.cpu: "number of cores",
    values.size: "[size](#sizes)",
    values.volume_size: "[size](#sizes)",
    values.duration: "[duration](#durations)",
    values.variable: "string, number or boolean",
}
"""Values that a file writes in a notation of its own. The resource's limits apply to what they are converted to."""
_KINDS: Final = {"string": "string", "integer": "whole number", "boolean": "boolean", "array": "list of strings"}

_CODE: Final = re.compile(r"(`[^`]*`)|'(\$\{[^']*)'|\$+\{(?:[^ }]*\})?")
"""Code that is marked already; a value in quotes that begins with a reference; a reference."""

_HEAD: Final = ("attribute", "form", "default", "meaning and limits")

Facts = Mapping[str, Any]
"""A field's structural schema."""


def to_markdown() -> str:
    """Return the text of the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEADER
    yield f"## Example\n\n```hcl\n{EXAMPLE}```\n"
    yield "## Blocks\n"
    yield from _block(Nested(FILE), MillDeploymentSpec, 3)
    yield f"## Variables and shared environments\n\n{_VARIABLES}"
    yield f"## Rollouts\n\n{_ROLLOUTS}"
    yield f"## Routes\n\n{_ROUTES}"
    *others, last = (f"`{name}`" for name in _nullable(FILE))
    yield f"## Values\n\n{_VALUES}\n"
    yield f"**`null`** means the same as leaving the attribute out; {', '.join(others)} and {last} accept it.\n"
    yield f"### Sizes\n\n{_SIZES}\n"
    yield from _table(
        ("text", "bytes"), ((f'`"{text}"`', f"{bytes_of(parse_size(text)):,}") for text in _SIZE_EXAMPLES)
    )
    yield f"### Durations\n\n{_DURATIONS}\n"
    yield from _table(
        ("text", "duration"), ((f'`"{text}"`', f"`{parse_duration(text)}`") for text in _DURATION_EXAMPLES)
    )
    yield f"### References\n\n{_REFERENCES}\n"
    yield from _table(("text", "value"), _references())
    yield f"{_REFERENCES_END}\n"
    yield "## Errors\n\nInvalid names and texts:\n"
    yield from _table(("message", "suggestion"), _refusals(INVALID_TEXTS))
    yield "Conflicts within a service, and between services:\n"
    yield from _table(("message", "suggestion"), _refusals(CONFLICTS))


def _block(block: Nested, model: type[ApiModel], depth: int) -> Iterator[str]:
    """Yield the section of a block, and then those of the blocks in it."""
    shape, facts = block.shape, structural(model)["properties"]
    yield f"{'#' * depth} {shape.name}\n\n{_cell(model.__doc__ or '')}\n"
    rows = [_label(shape, facts[block.label])] if block.label else []
    rows += [_row(name, field, _facts(name, field, model, facts)) for name, field in shape.fields.items()]
    yield from _table(_HEAD, rows)
    for name, field in shape.fields.items():
        if not isinstance(field, Nested):
            continue
        if field.shape.meaning is not None:
            yield from _resolved_block(field.shape, depth)
            continue
        inner = _model_in(model.model_fields[field.key or name].annotation)
        yield from _block(field, inner, depth if shape is FILE else depth + 1)


def _resolved_block(shape: Shape, depth: int) -> Iterator[str]:
    """Yield the section of a block that is no part of the resource."""
    yield f"{'#' * depth} {shape.name}\n\n{_cell(shape.meaning or '')}\n"
    name = {"description": "Name: at most 63 letters, digits, _ and -, of which the first is a letter or _."}
    rows = [_label(shape, name), *(_row(each, field, _own_facts(field)) for each, field in shape.fields.items())]
    yield from _table(_HEAD, rows)


def _facts(name: str, field: Row, model: type[ApiModel], facts: Mapping[str, Facts]) -> Facts:
    own = _own_facts(field)
    if own["description"]:
        return own
    key = key_of(name, field)
    return facts[model.model_fields[key].alias or key]


def _own_facts(field: Row) -> Facts:
    """Return what is said of a field that the resource does not have; without a description of any other one."""
    match field:
        case Nested(shape=Shape(meaning=meaning)):
            return {"description": meaning}
        case Attr(meaning=meaning, example=example):
            return {"description": meaning, "type": "array" if example.startswith("[") else "string"}
        case Tables(meaning=meaning):
            return {"description": meaning}
        case Table():
            return {"description": None}


def _model_in(annotation: object) -> type[ApiModel]:
    """Find the model in `Health | None` or `list[Route]`."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, ApiModel):
            return each
    raise TypeError(f"a model was expected, not {annotation}")


def _nullable(shape: Shape) -> dict[str, None]:
    """Return the names of the fields that may be `null`, each once."""
    found: dict[str, None] = {}
    for name, field in shape.fields.items():
        if isinstance(field, Attr | Nested) and field.nullable:
            found[name] = None
        if isinstance(field, Nested):
            found |= _nullable(field.shape)
    return found


def _label(shape: Shape, facts: Facts) -> tuple[str, ...]:
    return "*label*", f'string: `"{shape.label_example}"`', "required", _meaning(facts, limited=True)


def _row(name: str, field: Row, facts: Facts) -> tuple[str, ...]:
    limited = True
    match field:
        case Attr(read=read):
            limited = read not in _NOTATIONS
            kind = _NOTATIONS.get(read) or _KINDS[facts.get("type", "string")]
        case Table():
            kind = "block"
        case Tables():
            kind = "blocks"
        case Nested(label=label):
            kind = f"[{'blocks' if label else 'block'}](#{name})"
    return f"`{name}`", f"{kind}: `{field.example}`", _default(field, facts), _meaning(facts, limited=limited)


def _default(field: Row, facts: Facts) -> str:
    if isinstance(field, Attr) and field.required:
        return "required" if field.alternative is None else f"required without `{field.alternative}`"
    if "default" not in facts:
        return "none"
    default = facts["default"]
    if isinstance(field, Attr) and field.read is values.cpu:
        return f"`{cores_of(default):g}`"
    return f"`{json.dumps(default)}`"


def _meaning(facts: Facts, *, limited: bool) -> str:
    """Return the description with the limits that the resource's schema sets."""
    text = _cell(facts["description"])
    return f"{text} {limits(facts)}".rstrip() if limited else text


def _references() -> Iterator[tuple[str, str]]:
    yield f"`{format_value([SecretRef('NAME')])}`", (SecretRef.__doc__ or "")
    for attribute, meaning in MEANINGS.items():
        yield f"`{format_value([ServiceRef('NAME', attribute)])}`", meaning
    yield f"`{format_value([Literal(OPEN)])}`", f"A literal `{OPEN}`."


def _refusals(text: str) -> Iterator[tuple[str, str]]:
    """Yield message and suggestion of each problem that the parser finds in a file."""
    try:
        parse(text)
    except InvalidConfig as error:
        for problem in error.diagnostics:
            yield f"`{problem.path}`: {_cell(problem.message)}", _cell(problem.help or "")


def _cell(text: str) -> str:
    """Return a text for a table's cell: on one line, with references as code, so that none is read as a formula."""
    marked = _CODE.sub(lambda found: found[1] or f"`{found[2] or found[0]}`", text)
    return " ".join(marked.split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
