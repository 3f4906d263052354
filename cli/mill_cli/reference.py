"""The text of docs/cli.md.

It is the help of every command, so that neither can say what the other does not.
"""

from collections.abc import Iterator
from typing import Final

import click

from mill_cli.main import app

_HEADER: Final = """\
<!-- Generated from the help of the commands by `make generate`; do not edit. -->
# The command line

Every option may stand before or after the name of a command; one that is given beats its variable. `-h` shows this
help, `mill completion` makes a shell complete commands, options and names.

On a terminal a rollout is shown live, and below a service that failed stands what its program or the node said last,
and what to do. `NO_COLOR` and `TERM=dumb` are honoured. Anywhere else the lines are plain, in the order of the file,
all of them on standard output; standard error has mill's own errors, and with `--verbose` what a terminal would show.
`--json` prints one JSON value a line: each event of a stream as `{"event": …, "data": {…}}`, or a whole answer of the
[API](api.md).

A stream that breaks is taken up where it was, at whichever gateway answers, for a minute; there is no other limit of
time. Proxies are those of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; authorities those of the machine, of
`SSL_CERT_FILE` and `SSL_CERT_DIR`, and of `--ca-file`. A redirect is followed on the same scheme, host and port only,
since a token is for that alone; a token that goes to another machine without TLS is warned of, and so is a file with a
token that others can read. `~/.netrc` is not read. After Ctrl-C a rollout goes on, and the exit code is 3; of other
commands it is 130.

Of a file at most 2 MiB are read, of a `.mill` file at most 256 KiB. YAML may have anchors, aliases and merge keys
(`<<`) as long as all of it, written out, has at most 200,000 values and 4 MiB of text, 64 levels deep; a key that is
given twice, a second document, and tags of other kinds than JSON has are refused, each at its place.

Names, messages and values of others are printed without control characters and others that a terminal obeys; in JSON
and YAML they are escaped. What programs wrote (`mill logs`) and a secret's value (`mill secret get`) are printed as
they are, as kubectl does: a terminal does what they say.
"""
_SHARED: Final = "\nOptions of all commands:"
_WIDTH: Final = 100


def to_markdown() -> str:
    """Return the text of the page."""
    root = app()
    ctx = click.Context(root, info_name="mill", terminal_width=_WIDTH, **root.context_settings)
    return "\n".join([_HEADER, *_section(ctx, whole=True)])


def _section(ctx: click.Context, *, whole: bool = False) -> Iterator[str]:
    """Yield the help of a command, and of those in it; the options of all commands only if it is `whole`."""
    shown = ctx.get_help()
    yield f"## {ctx.command_path}\n\n```text\n{(shown if whole else shown.partition(_SHARED)[0]).rstrip()}\n```\n"
    if isinstance(ctx.command, click.Group):
        for name, each in ctx.command.commands.items():
            if not each.hidden:
                yield from _section(click.Context(each, info_name=name, parent=ctx, terminal_width=_WIDTH))
