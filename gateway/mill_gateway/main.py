"""The program `mill-gateway`, or `python -m mill_gateway`."""

from mill_process.extras import imports_of_extra


def run() -> None:
    """Run the gateway. The exit code is 2 if a package of the extra `gateway` is not installed."""
    with imports_of_extra("gateway"):
        from mill_gateway import process
    process.run()
