"""Durations on the command line, written as in `.mill` files."""

from datetime import timedelta

import click


class Duration(click.ParamType[timedelta]):
    """A duration above zero, such as `90s` or `1h 30min`. Its value is a timedelta."""

    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration. Raise `click.BadParameter`."""
        if isinstance(value, timedelta):
            return value

        from mill_api.durations import InvalidDuration, parse_duration, to_timedelta

        try:
            duration = to_timedelta(parse_duration(value))
        except InvalidDuration as error:
            self.fail(error.plain, param, ctx)
        if not duration:
            self.fail("expected more than 0s", param, ctx)
        return duration
