"""`python -m mill_cli`."""

from mill_cli.main import run

run()
