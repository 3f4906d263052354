"""`python -m mill_operator`."""

from mill_operator.main import run

run()
