"""Errors between a client and the API server.

```
KubeError
├── ApiError              the API server answered, and refused (status, reason, message)
│   ├── NotFound          404
│   ├── Conflict          409: exists already, or was changed by another client
│   └── Expired           410: the resource version is too old to watch from; list again
├── Unreachable           no answer: refused, timed out, cut off
│   └── WatchStalled      a watch that sends nothing: dead, or of a kind that was never used
└── WriteFenced           not sent: this process may not write (any more)
```
"""

import json

from mill_objects.fields import mapping, mappings, number, text
from mill_objects.json import Json
from mill_objects.printable import one_line

MESSAGE_LIMIT = 8 * 1024
"""Bytes of a message of the API server, or of the network, in the text of an error."""
UNPROCESSABLE = 422
"""HTTP status for an object that is invalid, and for a patch that does not apply."""
REASON_LIMIT = 253
"""Bytes of a refusal's reason: one word, but an admission webhook may write it."""


class KubeError(Exception):
    """Base of the errors between a client and the API server."""


class Unreachable(KubeError):
    """The API server did not answer, or the answer is not one of an API server."""


class WatchStalled(Unreachable):
    """A watch has sent nothing for longer than bookmarks take.

    It may be dead. It may also be well: the API server sends no bookmarks for a kind that has had no event.
    """


class WriteFenced(KubeError):
    """A write was not sent: this process may not write (any more)."""


class ApiError(KubeError):
    """The API server refused. `message` is its text, or that of an admission webhook, unchanged.

    The text of the error is one line of it, fit to be logged and shown.
    """

    def __init__(self, status: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(one_line(message, MESSAGE_LIMIT) or one_line(reason, REASON_LIMIT) or f"HTTP {status}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    @property
    def namespace_terminating(self) -> bool:
        """Whether the namespace is being deleted, or does not exist: nothing needs to be written there any more."""
        gone = self.missing_namespace is not None
        return gone or any(each.get("reason") == "NamespaceTerminating" for each in mappings(self.details, "causes"))

    @property
    def missing_namespace(self) -> str | None:
        """The namespace that does not exist, if that is the reason."""
        if self.status != 404 or self.details.get("kind") != "namespaces":
            return None
        return text(self.details, "name")

    @property
    def is_failed_patch(self) -> bool:
        """Whether a JSON patch does not apply, such as by a failed `test`. Of an invalid object the kind is named."""
        return self.status == UNPROCESSABLE and "kind" not in self.details

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the API server wants the request again; None if it names none."""
        seconds = number(self.details, "retryAfterSeconds")
        return seconds if seconds > 0 else None

    @classmethod
    def from_status(cls, code: int, body: bytes) -> "ApiError":
        """Make the error of a response from its `Status` object."""
        try:
            status = json.loads(body)
        except (ValueError, RecursionError):
            status = {"message": body[:4000].decode(errors="replace")[:1000]}
        if not isinstance(status, dict):
            status = {"message": str(status)[:1000]}
        kind = {404: NotFound, 409: Conflict, 410: Expired}.get(code, cls)
        reason = one_line(text(status, "reason"), REASON_LIMIT)
        return kind(code, reason, text(status, "message"), dict(mapping(status, "details")))


class NotFound(ApiError):
    """There is no such object, or no such kind."""


class Conflict(ApiError):
    """The object exists already, or has changed since it was read."""


class Expired(ApiError):
    """The resource version is too old to watch from."""


def describe(error: Exception) -> str:
    """Return an error of the network as one line: a time-out has no text of its own."""
    return one_line(str(error), MESSAGE_LIMIT) or type(error).__name__
