"""One revision as a file, and the difference between two: `mill history REV`, `mill diff --rev REV`."""

from collections.abc import Sequence

from mill_cli.connection.client import Gateway, path
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import differences, screen
from mill_cli.output.revision_table import digests, in_words
from mill_cli.output.text import printable


def show_revision(options: Options, revision: int) -> None:
    """Print the file of a revision, and on standard error what is known of it. Raise `CliError`."""
    with Gateway(options) as gateway:
        route = path("deployments", options.deployment, "revisions", str(revision))
        found, now = gateway.get_with_time(route, **options.where)
    if options.as_json:
        screen.out_json(found)
        return
    if not options.quiet:
        screen.note("\n".join([in_words(found, now), *(f"  {each}" for each in digests(found))]))
    text = found["file"]
    if not isinstance(text, str):
        message = f"revision {revision} is of another release, and cannot be shown as a file"
        raise CliError(Exit.FAILED, message, f"`mill history {revision} --json` prints it as it is")
    screen.out(printable(text).removesuffix("\n"))


def diff_revisions(options: Options, revisions: Sequence[int], *, exit_code: bool) -> Exit:
    """Print the changes from a revision to another, or to what is deployed. Raise `CliError`."""
    first, last = revisions[0], revisions[-1]
    query = {"to": str(last)} if len(revisions) > 1 else {}
    with Gateway(options) as gateway:
        route = path("deployments", options.deployment, "revisions", str(first), "diff")
        found = gateway.get(route, **options.where, **query)
    screen.out_json(found) if options.as_json else screen.out(differences.show(found, whole=not options.quiet))
    return Exit.FAILED if exit_code and found["changed"] else Exit.SUCCESS
