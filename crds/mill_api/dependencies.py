"""What the services of a spec depend on: softly by environment and arguments, strictly by `after`.

A soft dependence only makes a verdict patient, so a value of the environment is read generously: one that is the name
of a service counts, and so does an address or URL whose host is one, as most files that come from Compose have them. Of
a command and of a file, references alone count: `worker` is an argument more often than a service. Pure functions,
whose cost grows with the length of the texts and the number of edges, whatever the texts are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mill_api.references import InvalidValue, Literal, ServiceRef, parse_value, parse_word

Edges = Mapping[str, Collection[str]]
"""The names that each name depends on."""

_HIDDEN: Final = "\0"
"""Stands for the value of a secret: no environment can have it, and it is part of no name."""
_END_OF_AUTHORITY: Final = str.maketrans({"?": "/", "#": "/", ";": "/"})
_SEPARATORS: Final = str.maketrans({",": " "})


class DependentProgram(Protocol):
    """What is read of a service or task."""

    @property
    def name(self) -> str: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def command(self) -> Sequence[str] | None: ...
    @property
    def args(self) -> Sequence[str] | None: ...
    @property
    def contents(self) -> Sequence[str]:
        """The texts of its files."""
        ...


class DependentService(DependentProgram, Protocol):
    """What is read of a service."""

    @property
    def after(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The other services that one service depends on, each once, in the order of the file."""

    refers_to: tuple[str, ...] = ()
    """Those that its environment and its arguments name. Without every edge inside a cycle: services that name one
    another would otherwise wait for one another."""
    after: tuple[str, ...] = ()
    """Those after which it starts. Without unknown names, its own, and every edge inside a cycle of `after`."""


def dependencies(services: Iterable[DependentService], namespace: str) -> dict[str, Dependencies]:
    """Return what each service depends on, by its name. `namespace` is that of the MillDeployment.

    A spec that breaks the rules of `after` has dependencies too: what is wrong in it makes no edge.
    """
    known = {service.name: service for service in services}
    order = {name: position for position, name in enumerate(known)}
    strict = {name: {other for other in each.after if other in known} for name, each in known.items()}
    soft = {name: named_services(each, known, namespace) for name, each in known.items()}
    strict_cycles = _cycle_numbers(strict)
    cycles = _cycle_numbers({name: strict[name] | soft[name] for name in known})

    def kept(name: str, others: Collection[str], numbers: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(sorted((each for each in others if numbers[each] != numbers[name]), key=order.__getitem__))

    return {
        name: Dependencies(kept(name, soft[name], cycles), kept(name, strict[name], strict_cycles)) for name in known
    }


def named_services(program: DependentProgram, known: Collection[str], namespace: str) -> set[str]:
    """Return the services that a service or task names, in its environment, command, arguments and files."""
    return _named(program.env.values(), known, namespace) | _referred(program, known)


def rings(edges: Edges) -> Iterator[tuple[str, ...]]:
    """Yield rings of names, each with its first name again at its end: `("a", "b", "a")`.

    Every name that is part of a ring is in one of them, and each is the shortest through its first name. A name's edge
    to itself is no ring, and names that have no edges of their own are in none.
    """
    numbers = _cycle_numbers(edges)
    reported: set[str] = set()
    for name in edges:
        if name not in reported:
            ring = _shortest_ring(name, edges, numbers)
            if ring is not None:
                reported.update(ring)
                yield ring


def _shortest_ring(start: str, edges: Edges, numbers: Mapping[str, int]) -> tuple[str, ...] | None:
    before: dict[str, str] = {}
    queue = [start]
    for name in queue:
        for other in edges.get(name, ()):
            if other == start and name != start:
                path = [start, name]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return tuple(reversed(path))
            if other != start and other not in before and numbers.get(other) == numbers[start]:
                before[other] = name
                queue.append(other)
    return None


def _cycle_numbers(edges: Edges) -> dict[str, int]:
    """Number the names so that those of one cycle (a strongly connected component) have one number: Tarjan's algorithm.

    Without recursion: a chain may be as long as the file.
    """
    numbers: dict[str, int] = {}
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    for root in edges:
        if root in index:
            continue
        index[root] = lowest[root] = len(index)
        path.append(root)
        open_names = [(root, iter(edges[root]))]
        while open_names:
            name, others = open_names[-1]
            for other in others:
                if other not in edges:
                    continue
                if other not in index:
                    index[other] = lowest[other] = len(index)
                    path.append(other)
                    open_names.append((other, iter(edges[other])))
                    break
                if other not in numbers:
                    lowest[name] = min(lowest[name], index[other])
            else:
                open_names.pop()
                if open_names:
                    lowest[open_names[-1][0]] = min(lowest[open_names[-1][0]], lowest[name])
                if lowest[name] == index[name]:
                    number = index[name]
                    while numbers.get(name) is None:
                        numbers[path.pop()] = number
    return numbers


def _named(values: Iterable[str], known: Collection[str], namespace: str) -> set[str]:
    """Return the services that values of an environment name."""
    found: set[str] = set()
    for value in values:
        try:
            parts = parse_value(value)
        except InvalidValue:
            continue
        found.update(part.service for part in parts if isinstance(part, ServiceRef) and part.service in known)
        text = "".join(part.text if isinstance(part, Literal) else _HIDDEN for part in parts)
        is_url = "://" in text
        for token in text.translate(_SEPARATORS).split():
            name = _service_of(_host(token, is_url=is_url), namespace)
            if name in known:
                found.add(name)
    return found


def _referred(service: DependentProgram, known: Collection[str]) -> set[str]:
    """Return the services to which the command, the arguments and the files of a service refer."""
    words = (*(service.command or ()), *(service.args or ()), *service.contents)
    parts = (part for word in words for part in parse_word(word))
    return {part.service for part in parts if isinstance(part, ServiceRef) and part.service in known}


def _host(token: str, *, is_url: bool) -> str:
    """Return the host of an address or URL; empty if a text is neither.

    `is_url` is whether the value has a scheme: then `user@host/path` may also stand alone, in a list after the first.
    """
    scheme, separator, rest = token.partition("://")
    authority = rest if separator else scheme
    if is_url:
        authority = authority.translate(_END_OF_AUTHORITY).partition("/")[0].rpartition("@")[2]
    host, colon, port = authority.partition(":")
    is_port = not colon or port == _HIDDEN or (port.isascii() and port.isdecimal() and len(port) <= 5)
    return host if is_port else ""


def _service_of(host: str, namespace: str) -> str:
    """Return the service that a host name may be: `db`, `db.shop`, `db.shop.svc` and `db.shop.svc.cluster.local`."""
    name, *rest = host.removesuffix(".").split(".", 3)
    return name if rest[:2] in ([], [namespace], [namespace, "svc"]) and len(rest) <= 3 else ""
