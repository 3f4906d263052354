"""`mill drain`: a drain, shown until it finishes."""

import shlex
from typing import Any

from mill_cli.connection.client import Gateway, path
from mill_cli.connection.streams import EventStream, Request
from mill_cli.errors import Exit, Interrupted
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.lines import Messages
from mill_cli.output.plain import RESULTS
from mill_cli.output.text import one_line

MESSAGES = Messages("drain complete", "drain finished with errors")


def drain(options: Options, node: str, timeout: str | None) -> Exit:
    """Drain a node and return the result. Raise `CliError`."""
    request = Request("POST", path("nodes", node, "drain"), {"timeout": timeout} if timeout else {})
    success = False
    with Gateway(options) as gateway:
        try:
            for event in EventStream(gateway, request, notice=screen.note if options.verbose else None):
                if options.quiet and event.name not in RESULTS:
                    pass
                elif options.as_json:
                    screen.out_json(event.to_json())
                elif (text := line(event.name, event.data)) is not None:
                    screen.out(text)
                success = event.last and event.data.get("success", True) is True
        except KeyboardInterrupt:
            raise Interrupted(f"the drain continues; `mill drain {shlex.quote(node)}` follows it") from None
    return Exit.SUCCESS if success else Exit.FAILED


def line(event: str, data: dict[str, Any]) -> str | None:
    """Return the line of an event, if there is one."""
    if event == "done":
        return MESSAGES.last_line({"success": True, **data})
    subject = data.get("service") or data.get("pod")
    prefix = f"  {one_line(str(subject))}: " if subject else "  "
    if event == "failed":
        return f"{prefix}drain failed: {one_line(str(data.get('reason') or 'unknown'))}"
    if not data.get("phase"):
        return None
    more = f": {one_line(str(data['message']))}" if data.get("message") else ""
    node = f" on {one_line(str(data['node']))}" if data.get("phase") == "scheduled" and data.get("node") else ""
    return f"{prefix}{one_line(str(data['phase']))}{node}{more}"
