"""The text of docs/cli.md.

It is the help of every command, so that neither can say what the other does not.
"""

from collections.abc import Iterator
from typing import Final

import click

from mill_cli.command import LazyGroup
from mill_cli.error_codes import ERROR_CODES
from mill_cli.main import app

_HEADER: Final = """\
<!-- Generated from the help of the commands by `make generate`; do not edit. -->
# The command line

Options may be given before or after the name of a command; an option overrides its variable. `-h` shows this help,
`mill completion` prints a script that completes commands, options and names.

On a terminal `deploy`, `restart` and `watch` first print which gateway they ask, then show the rollout live: how many
services there are in each state, and a row for each service, failed ones first. If there is no room for all rows, the
last line counts the others, so that no failure is hidden. In the end

- each service has one line, with the time until it was healthy: `web: healthy (3.9s)`;
- services that failed for the same reason are named together, with the last output of the program or the node if it is
  the same, and with one suggestion;
- the last line counts: `deployed: 24 healthy (25.1s)`.

`NO_COLOR` and `TERM=dumb` are respected. Anywhere else

- standard output has the lines of the rollout, plain and in the order of the file;
- standard error has mill's own errors, the plan of a deploy, the notices below, and with `--verbose` the details that a
  terminal would show.

`--json` prints one JSON value per line: each event of a stream as `{"event": …, "data": {…}}`, or a whole answer of the
[API](api.md). With `--verbose` as well, a stream has the details of `detail=full`, among them the events `task`.
An error is one line of JSON, too, the last one of standard error:

```json
{"error":"secret not found","code":"secret_not_found","status":404,"request":"e3c808eb83888a5e"}
```

- `error` is a message for people, `code` is for programs and never renamed, `help` has the hints, if there are any.
- An error of the gateway has its [code](api.md#handle-errors) and fields, and its HTTP status as `status`.
- The problems of a file are in `diagnostics`, each as `mill validate --json` prints it to standard output on a line.

The other codes are mill's own:

| code | when |
|---|---|
CODES

In a log that is not a terminal, such as that of CI, `deploy`, `restart` and `watch` print notices to standard error:

- what is wrong for five seconds and has not failed yet, with the time until it does, such as
  `web: waiting: no nodes available: insufficient memory (largest node: 23.4 GiB; fails in 115s)`; again only when the
  cause changes;
- what the health checks of a start report that has not become ready for five seconds, such as
  `web: waiting: not ready: health check: HTTP 503 (fails in 25s)`; that nothing listens yet, after half of its time;
- a failure that standard output holds for more than three seconds, until the services before it have their verdicts;
- below a failure what matters of it: the image that cannot be pulled, the command that was not found, the last line of
  the log;
- each state of a task that runs in the rollout: `migrate: waiting for db`, `migrate: running`, `migrate: done (4.1s)`
  with the time of its run, `migrate: failed: container exited with code 3`. A terminal has a row for it, above the
  services.

They need the right to `get` the MillDeployment; without it they are left out. `--quiet` and `--json` have none.

After a deploy standard error names the URL of each route, and what is wrong with it; on a terminal also the command
that reaches a service without a route.

With `--quiet`

- `deploy`, `restart`, `watch` and `drain` print only failures and the last line, with `--json` only the events `failed`
  and `done`;
- `spawn` prints only the id of the run, and with `--wait` only its log;
- `ps`, `history`, `nodes`, `secret list` and `volume list` print the ids or names alone, one per line;
- `diff` prints only the last line;
- `set`, `delete`, `kill`, `remove` and a `validate` without problems print nothing.

Errors, warnings about an exposed token, and exit codes stay the same.

Connections:

- A stream that breaks is resumed after its last event, at any replica of the gateway, for up to a minute. There is no
  other time limit.
- After Ctrl-C a rollout continues, and the exit code is 3; `forward` and `open` end with 0, other commands with 130.
- Proxies are set by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. Trusted authorities are those of the
  machine, of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and of `--ca-file`. `~/.netrc` is not read.
- Redirects are followed only to the same scheme, host and port, since a token is for one origin.
- A warning appears if a token is sent to another machine without TLS, or if others can read a file with a token.

A file may have at most 2 MiB, a `.mill` file at most 256 KiB. YAML may have anchors, aliases and merge keys (`<<`);
expanded, it may have at most 200,000 values, 4 MiB of text and 64 levels. Duplicate keys, a second document, and tags
that JSON has no type for are refused, each with its place.

Foreign names, messages and values are printed without the control characters that a terminal obeys; in JSON and YAML
they are escaped. The output of programs (`mill logs`) and the value of a secret (`mill secret get`) are printed
unchanged, as kubectl does: a terminal obeys their control characters.
"""
_SHARED: Final = "\nGlobal options:"
_WIDTH: Final = 100


def to_markdown() -> str:
    """Return the text of the page."""
    root = app()
    ctx = click.Context(root, info_name="mill", terminal_width=_WIDTH, **root.context_settings)
    codes = "\n".join(f"| `{code}` | {when} |" for code, when in ERROR_CODES.items())
    return "\n".join([_HEADER.replace("CODES", codes), *_section(ctx, whole=True)])


def _section(ctx: click.Context, *, whole: bool = False) -> Iterator[str]:
    """Yield the help of a command, and of those in it; the global options only if it is `whole`."""
    shown = ctx.get_help()
    yield f"## {ctx.command_path}\n\n```text\n{(shown if whole else shown.partition(_SHARED)[0]).rstrip()}\n```\n"
    if isinstance(ctx.command, LazyGroup):
        for each in ctx.command.visible_commands:
            yield from _section(click.Context(each.load(), info_name=each.name, parent=ctx, terminal_width=_WIDTH))
