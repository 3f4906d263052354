"""`mill open`: the URL of a service, or of a port that is forwarded to it, in the browser."""

import webbrowser
from urllib.parse import urlsplit

from mill_cli.connection.client import Gateway
from mill_cli.errors import Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.output.text import one_line
from mill_cli.reach.forward import forward_service, read_service
from mill_cli.reach.ports import LOOPBACK, Ports


def open_service(options: Options, name: str) -> Exit:
    """Open the first URL that an ingress controller serves, or forward a port and open that. Raise `CliError`."""
    with Gateway(options) as gateway:
        service = read_service(gateway, name)
        url = next(filter(is_openable, service.urls), None)
        if url is not None:
            _open(options, url)
            return Exit.SUCCESS
        for each, problem in service.problems:
            screen.note(f"{one_line(each)}: {one_line(problem)}")
        return forward_service(gateway, service, Ports(), lambda port: _open(options, f"http://{LOOPBACK}:{port}/"))


def is_openable(url: str) -> bool:
    """Whether a browser can open a URL of a gateway: on the web, and without a wildcard."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "*" not in parts.netloc and url.isprintable()
        )
    except ValueError:
        return False


def _open(options: Options, url: str) -> None:
    if options.as_json:
        screen.out_json({"url": url})
    else:
        screen.out(url)
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened and not options.quiet:
        screen.note("there is no browser here: open the URL yourself")
