"""`python -m mill_gateway`."""

from mill_gateway.main import run

run()
