"""A fault that heals by itself, as a row of a table: what is deployed meanwhile, and how often."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.conftest import Namespace

_SERVICE: Final = """
service "{name}" {{
  image  = "{image}"
  cpu    = 0.01
  memory = "32M"
{lines}}}
"""


@dataclass(frozen=True)
class Group:
    """Rollouts of one namespace that the same fault hits, each of a MillDeployment with one service of its name."""

    number: int
    """Its number among those of its scenario, from 0."""
    namespace: Namespace
    names: tuple[str, ...]
    heal_seconds: float
    """Seconds after the beginning of the group at which the fault is over."""
    registry: str
    """The registry of the services' images: another one than the namespace's if the registry is at fault."""
    address: str
    """Where pods reach this process, if the fault needs that."""


Text = Callable[[Group, str], str]
"""Returns the `.mill` file of a service, by its name."""
Fault = Callable[[Group], AbstractContextManager[None]]
"""Makes the fault, and heals it in time while the block runs; leaves nothing of it when the block ends."""


@dataclass(frozen=True)
class Scenario:
    """A fault that heals by itself."""

    name: str
    """What the page calls it."""
    heal_seconds: tuple[float, ...]
    """When it is over, for each group of rollouts in turn."""
    rollouts: int
    text: Text
    fault: Fault = field(default=lambda _group: nullcontext())
    registry: Callable[[str, float], AbstractContextManager[str]] | None = None
    """A registry of the group's own: takes the address of the real one and the seconds, and yields its own address."""
    before: Text | None = None
    """The version that is rolled out before, so that the rollout is an update."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the operator."""
    is_of_node: bool = False
    """Whether it hits all pods of the node: then nothing else runs at the same time."""
    group_size: int = 5


def service(group: Group, name: str, *lines: str, image: str = "web:1", port: int | None = 8080) -> str:
    """Return a service of the group's registry, with these lines added to it."""
    added = [*([f"port = {port}"] if port else []), *lines]
    text = "".join(f"  {line}\n" for line in added)
    return _SERVICE.format(name=name, image=f"{group.registry}/{image}", lines=text)


def plain(group: Group, name: str) -> str:
    """Return a service that works."""
    return service(group, name)


def second(group: Group, name: str) -> str:
    """Return the next version of the service that works."""
    return service(group, name, image="web:2")


@contextmanager
def healing(seconds: float, heal: Callable[[], object]) -> Iterator[None]:
    """Call a function after so many seconds; at the end of the block at the latest."""
    done = threading.Event()

    def call() -> None:
        done.wait(seconds)
        heal()

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
