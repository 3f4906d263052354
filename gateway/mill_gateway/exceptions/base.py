"""Base of all failures."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

LONGEST_NAME: Final = 253
"""Characters of a name that an answer repeats: no name of an object is longer."""


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


class NameNotFound(GatewayError):
    """Base of the failures about a name that does not exist: the answer has its `kind`, `name` and `namespace`.

    `services/existing.py` adds in `existing` the names that there are, as far as the caller may know them.
    """

    kind: ClassVar[str]

    def __init__(self, name: str, namespace: str | None, message: str = "") -> None:
        """Take what was named. `namespace` is None for what has none."""
        super().__init__(message, kind=self.kind, name=name[:LONGEST_NAME], namespace=namespace)
        self.name = name
        self.namespace = namespace


def error_classes(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """Yield every class that has a code."""
    for each in base.__subclasses__():
        if "code" in vars(each):
            yield each
        yield from error_classes(each)
