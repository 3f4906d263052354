"""What has failed since a rollout finished: read once from the status after its stream has ended."""

from mill_api.rollout_results import RolloutResult, regression_text, rollout_results
from mill_api.status_reading import read_status
from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import RolloutStream
from mill_cli.errors import CliError
from mill_cli.output import screen
from mill_cli.output.text import one_line


def report_regressions(gateway: Gateway, stream: RolloutStream, service: str | None) -> bool:
    """Print the failures since the rollout of a stream finished, of one service if it is given.

    Return whether there are any. If the status cannot be read, standard error says so.
    """
    options = gateway.options
    try:
        result = _read_result(gateway, stream)
    except CliError as error:
        if not options.quiet:
            screen.note(f"cannot read what has failed since the rollout finished: {error}")
        return False
    if result is None:
        return False
    # A failure in an open settling window has a position: the stream of its service ends with it.
    regressed = [each for each in result.regressed if service is None or (each.service == service and each.seq is None)]
    if not regressed:
        return False
    text = result.result if service is None else f"succeeded, then {regression_text(result, regressed[0])}"
    if options.as_json:
        failures = [each.model_dump(mode="json", exclude_none=True) for each in regressed]
        screen.out_json({"event": "regressed", "data": {"result": text, "regressed": failures}})
    else:
        screen.out(screen.paint(f"  {one_line(text)}", "bold red"))
    return True


def _read_result(gateway: Gateway, stream: RolloutStream) -> RolloutResult | None:
    """Return the result of a stream's rollout as the status has it now; None if it has none. Raise `CliError`."""
    namespace, name = stream.deployment
    detail = gateway.get(path("deployments", name), **({"namespace": namespace} if namespace else {}))
    status = read_status(detail.get("status") if isinstance(detail, dict) else None)
    return next((each for each in rollout_results(status) if each.id == stream.rollout), None)
