"""The prose of docs/mill-file.md around what `reference` makes of the language and the models."""

from typing import Final

from mill_api.constraints import MAX_FILE_BYTES
from mill_api.reference_rules import MAX_REFERENCES
from mill_api.stopping import GRACE_SECONDS, LEAVE_SECONDS
from mill_api.validation import MAX_TEXT_BYTES
from mill_language.declarations import MAX_SHARED, MAX_SOURCES
from mill_language.examples import EXAMPLES
from mill_language.inputs import MAX_ENV_FILE_BYTES, MAX_VALUE, MAX_VARIABLES
from mill_language.reading import MAX_BYTES
from mill_language.substitution import MAX_INSERTED

HEADER: Final = f"""\
<!-- Generated from mill_api.spec and mill_language by `make generate`; do not edit. -->
# The `.mill` file

`mill validate FILE` reports every problem of a file, without a cluster; `mill render FILE` shows the resource that the
file becomes. The syntax is HCL. Values are read and never computed: there are no expressions.

- A file is UTF-8 without a byte order mark, at most {MAX_BYTES // 1024} KiB. Comments are `# …`, `// …` and `/* … */`.
- An attribute is `name = value`, on a line of its own; `;` does not separate attributes. Unknown and duplicate names
  are refused.
- The environments, commands, arguments and files of all services and tasks together have at most
  {MAX_TEXT_BYTES // 1024} KiB, and the files of one service or task {MAX_FILE_BYTES // 1024} KiB. The environment of
  one service or task has at most {MAX_REFERENCES:,} references, and so have its command and arguments together, and its
  files. These limits also apply to resources that are not written as a file.
- The `{{` of a block stands on the line of its name. A block on one line holds at most one attribute:
  `route "www.example.com" {{ path = "/" }}`.
- A label is quoted, unless it is a plain word: `service web {{`.
- A block may also be written as an object: `env = {{ "my.name" = "1", B = "2" }}`. Its names may be quoted, and a comma
  or a new line separates its entries. An object can hold all blocks of one kind:
  `route = {{ "www.example.com" = {{ path = "/" }} }}`.
"""

VALUES: Final = """\
**Strings** are quoted, on one line, with the escapes `\\n`, `\\r`, `\\t`, `\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`.
A text of several lines is a heredoc: `<<EOT`, the lines, and a line with `EOT` alone; `<<-EOT` removes the indentation
that all lines share. In a heredoc a backslash has no special meaning, and the end of the last line belongs to the text.

**Numbers** are decimal, without quotes: `8080`, `0.5`, `1e2`. **Booleans** are `true` and `false`."""

SIZES: Final = """\
A number and a unit, in quotes. `k`, `M`, `G`, `T`, `P` and `E` are powers of 1000; `Ki`, `Mi`, `Gi`, `Ti`, `Pi` and
`Ei` are powers of 1024. A `B` may follow, capitals do not matter, and a number without a unit is in bytes."""

DURATIONS: Final = """\
Numbers with units, in quotes, which are added up: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `w`, `M`, `y`, or words such as
`sec`, `min`, `hours` and `days`. Capitals matter: `m` is a minute, and `M` is a month."""

REFERENCES: Final = "Values in `env`, `command` and `args` may refer to values that only the cluster knows:"

REFERENCES_END: Final = f"""\
A reference stands anywhere in a text, or alone without quotes: `KEY = secret(NAME)`. Numbers and booleans in `env` are
read as text.

In `command` and `args` only what is exactly a reference is one; every other `${{…}}` is text, which a shell in the
container may expand. Forms that HCL cannot read have two dollars: `$${{NAME:-default}}` is `${{NAME:-default}}`.
`$${{service.db.host}}` is the text `${{service.db.host}}`. In `args` a reference to a service that the file does not
have is refused; in `command` it is text. Whoever may list the processes of a container can read the value of a secret
in its arguments: `env` is the better place for it.

A service that refers to another one is patient with it ([Order](#order)).

#### Entry point and arguments

`args` are arguments for the image's own entry point. `command` replaces the entry point, and the image's arguments with
it. What Compose calls `command` is `args` here, and its `entrypoint` is `command`:

```hcl
{EXAMPLES["references"]}```"""

VARIABLES: Final = f"""\
What differs from one deploy to another is a variable, and what several services share is an `env` block of the file:

```hcl
{EXAMPLES["variable"]}```

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

ROLLOUTS: Final = f"""\
### Order

All services start at once. One that refers to another is patient: as long as no replica of the other one is ready,
its own crashes and failed checks are no failure. A service refers to another one by a reference in `env`, `command` or
`args`, by a value of `env` that is the name, or by an address or URL with that host: `DB_HOST = "db"`, `redis://redis:6379/0`.
Services that refer to one another in a ring do not wait for one another.

`after = ["db"]` is strict: the replicas of a new version are not created before the new version of `db` has settled. If
`db` fails, they are not created at all, and the old ones keep serving.

A task with `before = ["web"]` runs before the new version of `web` begins, and one with `after = ["web"]` when it has
settled: [ship a release](ship-a-release.md).

### Start

A replica has its time from the start of its container until it is ready: `start` in `health` if it is given, else
`interval` times `failure_threshold`, but at least 30 s. A pull of the image does not count.

### Hanging programs

`live` checks a container from its first success on: a program that hangs does not end by itself. After
`failure_threshold` failed checks in a row the container is restarted, which counts as a crash and is reported as
[`LivenessFailed`](failure-codes.md#livenessfailed). It says nothing about requests: only `health` takes a replica out
of its Service. A check that fails because the program is busy makes matters worse, so leave room: a longer `timeout`,
a larger `failure_threshold`.

### Success

An update has succeeded when all replicas have stayed ready for the time of `settle`. If one of them crashes or becomes
unready in between, the time begins again, unless that is a failure. Old replicas end only after that time. Without
`settle` it is the operator's setting; for a service with `live` at least the time in which a check that never succeeds
would restart it.

### Stop

A replica that ends gets SIGTERM, or the signal of its image's `STOPSIGNAL`, and SIGKILL after the time of `stop`, which
is {GRACE_SECONDS} s if it is left out. A run that is stopped, or whose time is up, ends in the same way.

A replica with a port and without a persistent volume leaves its Service first and serves for another {LEAVE_SECONDS} s
before the signal, so that requests that are on their way reach it.

`stop_signal` needs a cluster with the feature gate `ContainerStopSignals`, and the operator's setting
[`MILL_STOP_SIGNALS`](settings.md) that says so. Elsewhere it is refused: the API server would drop it silently.
"""

ROUTES: Final = """\
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
