"""`mill history`: the revisions of a MillDeployment, newest first; or its rollouts."""

from typing import Any

from mill_api.rollout_results import rollout_results
from mill_api.status_reading import read_status
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.failures import Refused
from mill_cli.listing import show_all
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.columns import rollout_columns
from mill_cli.output.revision_table import revision_columns
from mill_cli.plans import is_unknown

NO_REVISIONS = "no revisions are kept yet; these are the rollouts:"


def show_history(options: Options) -> None:
    """Print the revisions; the rollouts where Mill in the cluster keeps no revisions. Raise `CliError`."""
    with Gateway(options) as gateway:
        try:
            found, now = gateway.get_with_time(path("deployments", options.deployment, "revisions"), **options.where)
        except Refused as error:
            if options.as_json or not is_unknown(error):
                raise
            found, now = [], None
    if [*found] or options.as_json:
        show_all(options, found, revision_columns(now))
    else:
        show_rollouts(options, note=NO_REVISIONS)


def show_rollouts(options: Options, note: str | None = None) -> None:
    """Print the rollouts, and a note before them on standard error. Raise `CliError`."""
    with Gateway(options) as gateway:
        detail, now = gateway.get_with_time(path("deployments", options.deployment), **options.where)
    if note is not None and not options.quiet:
        screen.note(note)
    show_all(options, read_rollouts(detail), rollout_columns(now))


def read_rollouts(detail: Any) -> list[dict[str, Any]]:
    """Return the rollouts, newest first, from the answer of `/v1/deployments/{name}`.

    The status in it may come from another release: entries that cannot be read are left out.
    """
    status = read_status(detail.get("status"))
    return [_as_json(each.model_dump(mode="json")) for each in rollout_results(status)]


def _as_json(rollout: dict[str, Any]) -> dict[str, Any]:
    """Return a rollout whose failures and changes have no empty keys."""
    lists = {
        name: [{key: value for key, value in each.items() if value is not None} for each in rollout[name]]
        for name in ("failed", "regressed", "put_back")
    }
    return rollout | lists
