"""Base of all failures."""

from collections.abc import Iterator
from typing import Any, ClassVar


class GatewayError(Exception):
    """A request that is answered with an error."""

    code: ClassVar[str]
    text: ClassVar[str] = ""
    """The message of a failure that always has the same."""

    def __init__(self, message: str = "", **details: Any) -> None:
        """Take a message for people, and further keys of the answer for programs."""
        self.message = message or self.text
        self.details = details
        super().__init__(self.message)


def error_classes(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Yield every class that has a code."""
    for each in base.__subclasses__():
        if "code" in vars(each):
            yield each
        yield from error_classes(each)
