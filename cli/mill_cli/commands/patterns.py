"""Patterns on the command line: regular expressions of Python."""

import re

import click


class Pattern(click.ParamType["re.Pattern[str]"]):
    """A regular expression."""

    name = "pattern"

    def convert(
        self, value: "str | re.Pattern[str]", param: click.Parameter | None, ctx: click.Context | None
    ) -> "re.Pattern[str]":
        """Return the compiled pattern. Raise `click.BadParameter`."""
        if isinstance(value, re.Pattern):
            return value
        try:
            return re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            self.fail(f"not a regular expression: {error}", param, ctx)
