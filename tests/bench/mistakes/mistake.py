"""A mistake: what is there before, the command that makes it, and what the answer must say."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tests.bench.command import Timed, timed
from tests.e2e.conftest import MILL, Namespace
from tests.e2e.objects import Json

LIMIT_SECONDS: Final = 200.0
FILE: Final = "shop.mill"


@dataclass(frozen=True)
class Addresses:
    """What a command may be sent to."""

    gateway: str
    """It asks for no token."""
    guarded: str
    """A gateway that asks for one."""
    other: str
    """A server that is no gateway."""
    closed: str
    """Nothing listens there."""

    def named(self) -> dict[str, str]:
        """Return what stands for each of them in the page."""
        return {
            self.gateway: "http://GATEWAY",
            self.gateway.replace("http:", "https:"): "https://GATEWAY",
            self.guarded: "http://GATEWAY",
            self.other: "http://OTHER",
            self.closed: "http://GATEWAY",
        }


@dataclass(frozen=True)
class Place:
    """Where a mistake is made: a namespace, a folder with files, and the gateways."""

    namespace: Namespace
    addresses: Addresses

    @property
    def host(self) -> str:
        """A host name that no other mistake has."""
        return f"{self.namespace.name}.example.com"

    def named(self) -> dict[str, str]:
        """Return what stands in the page for the names of this run."""
        own = {self.host: "shop.example.com", self.namespace.name: "shop", self.namespace.registry: "REGISTRY"}
        return {**own, **self.addresses.named()}

    def write(self, name: str, text: str) -> None:
        """Write a file of this folder; `REGISTRY` and `HOST` in it stand for those of this run."""
        (self.namespace.folder / name).write_text(
            text.replace("REGISTRY", self.namespace.registry).replace("HOST", self.host)
        )

    def mill(self, *argv: str, **environment: str) -> Timed:
        """Run `mill` in the folder, without a terminal."""
        return self._timed([str(MILL), *argv], environment)

    def kubectl(self, *argv: str) -> Timed:
        """Run kubectl in the folder."""
        return self._timed(self.namespace.cluster.kubectl_command("--namespace", self.namespace.name, *argv), {})

    def interrupted(self, seconds: float, *argv: str) -> Timed:
        """Run `mill`, and let it have a Ctrl-C after some time."""
        # In the foreground `timeout` sends the signal once, otherwise also to its process group, which has `mill`, too.
        return self._timed(
            ["timeout", "--foreground", "--preserve-status", "--signal=INT", str(seconds), str(MILL), *argv], {}
        )

    def have(self, *objects: Json) -> None:
        """Make objects in the namespace."""
        for each in objects:
            self.namespace.kubectl("apply", "-f", "-", stdin=json.dumps(each))

    def deploy(self, text: str, *options: str) -> None:
        """Deploy a file that is right."""
        self.write("before.mill", text)
        done = self.mill("deploy", "before.mill", *options)
        assert done.code == 0, done

    def _timed(self, argv: Sequence[str], environment: Mapping[str, str]) -> Timed:
        target = {"MILL_ADDRESS": self.addresses.gateway, "MILL_NAMESPACE": self.namespace.name, "MILL_NAME": "mill"}
        given = {**self.namespace.cluster.environment(), **target, **environment}
        return timed(argv, given, LIMIT_SECONDS, self.namespace.folder)


Run: TypeAlias = Callable[[Place], Timed]


@dataclass(frozen=True)
class Mistake:
    """A row of the page."""

    title: str
    run: Run
    code: int
    """The exit code that it must have."""
    text: str
    """What a line of the answer must contain: it is the line that the page shows."""


@dataclass(frozen=True)
class Chapter:
    """The mistakes of one subject, as a section of the page."""

    heading: str
    explanation: str
    mistakes: Sequence[Mistake]
    is_quick: bool = False
    """Whether they are made one after the other, in one namespace in which they change nothing."""


def of_file(text: str, *options: str, name: str = FILE) -> Run:
    """Return the deploy of a file."""

    def run(place: Place) -> Timed:
        place.write(name, text)
        return place.mill("deploy", name, *options)

    return run


def of_command(*argv: str, files: Sequence[str] = (), **environment: str) -> Run:
    """Return a command of `mill`, beside files that are right."""

    def run(place: Place) -> Timed:
        for each in place.namespace.folder.iterdir():
            each.unlink()
        for each in files:
            place.write(each, web())
        return place.mill(*argv, **environment)

    return run


@dataclass(frozen=True)
class Service:
    """A service of the sample image, as text of a file."""

    name: str = "web"
    tag: str = "1"
    lines: Sequence[str] = field(default=('memory = "32M"',))

    def __str__(self) -> str:
        lines = [f'image = "REGISTRY/web:{self.tag}"', "port = 8080", "cpu = 0.02", *self.lines]
        return f'service "{self.name}" {{\n' + "".join(f"  {each}\n" for each in lines) + "}\n"


def web(*lines: str, name: str = "web", tag: str = "1", memory: str = "32M") -> str:
    """Return a service of the sample image, with more lines."""
    return str(Service(name, tag, [f'memory = "{memory}"', *lines]))
