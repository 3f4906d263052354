"""One rollout, followed from its request to its last event."""

import json
from dataclasses import dataclass, field
from typing import Final

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from tests.support import server_sent

_PARAMETERS: Final = {"detail": "full"}
_SILENCE_SECONDS: Final = 60.0
_TRIES: Final = 5


@dataclass(frozen=True)
class Followed:
    """What the stream of a rollout reported."""

    success: bool = False
    """Whether its last event was `done` with `success: true`."""
    failures: tuple[str, ...] = ()
    """The reasons of its `failed` events."""
    suspected: tuple[str, ...] = ()
    """The codes of its suspicions."""
    seconds: float = 0.0

    @property
    def green(self) -> bool:
        """Whether it succeeded, and nothing was called failed on the way."""
        return self.success and not self.failures


@dataclass
class _Stream:
    last_id: str = ""
    failures: list[str] = field(default_factory=list)
    suspected: list[str] = field(default_factory=list)
    done: dict[str, object] | None = None

    def take(self, event: ServerSentEvent) -> None:
        data = json.loads(event.data)
        self.last_id = event.id
        if event.event == "failed":
            self.failures.append(f"{data.get('code', '')}: {data['reason']}")
        elif event.event == "done":
            self.done = data
        elif data.get("phase") == "suspect":
            self.suspected.append(data.get("code") or "")


def follow(gateway: str, namespace: str, name: str, text: str) -> Followed:
    """Deploy a file, and return what its stream reported. A stream that breaks is resumed, as clients do."""
    stream = _Stream()
    parameters = {"namespace": namespace, **_PARAMETERS}
    with httpx.Client(base_url=gateway, timeout=_SILENCE_SECONDS) as client:
        request = {"method": "POST", "url": "/v1/deploy", "params": parameters | {"name": name}, "content": text}
        for _ in range(_TRIES):
            try:
                with connect_sse(client, **request) as source:  # type: ignore[arg-type]
                    assert source.response.status_code == 200, source.response.read()
                    for event in server_sent.events(source):
                        stream.take(event)
            except httpx.TransportError:
                pass
            if stream.done is not None:
                break
            assert stream.last_id, "the stream of a rollout broke before its first event"
            url = f"/v1/deployments/{name}/events"
            request = {"method": "GET", "url": url, "params": parameters, "headers": {"Last-Event-ID": stream.last_id}}
    assert stream.done is not None, "the stream of a rollout has no end"
    return Followed(
        success=stream.done["success"] is True,
        failures=tuple(stream.failures),
        suspected=tuple(dict.fromkeys(stream.suspected)),
        seconds=float(str(stream.done["elapsed"])),
    )
