"""What the administrator of a cluster permits pods: tolerations, labels and annotations of their own.

Operator and gateway have the same settings. Nothing is permitted by default: an arbitrary label would let a pod join
the Services and NetworkPolicies of others, and a toleration would move it onto the nodes of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mill_api.constraints import shown
from mill_api.place_rules import is_key, is_own_key, permitted
from mill_api.problems import Problem
from mill_api.spec import Service, Task

_ASK: Final = "ask your cluster administrator"


@dataclass(frozen=True, slots=True)
class PodPermissions:
    """The settings about pods of services and tasks."""

    tolerations: tuple[str, ...] = ()
    """Keys of taints."""
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    """Keys, or beginnings of keys that end with a slash."""

    stop_signals: bool = False
    """Whether the cluster has signals of pods: its feature gate ContainerStopSignals, which needs a runtime that knows
    them. Without it, the API server drops them."""

    def stop_signal_of(self, program: Service | Task) -> str | None:
        """Return the signal that ends a program, if the cluster has signals of pods."""
        return program.stop_signal if self.stop_signals else None

    def labels_of(self, program: Service | Task) -> dict[str, str]:
        """Return the labels of a program's pods that are permitted."""
        return _granted(program.labels, self.labels)

    def annotations_of(self, program: Service | Task) -> dict[str, str]:
        """Return the annotations of a program's pods that are permitted."""
        return _granted(program.annotations, self.annotations)

    def tolerations_of(self, program: Service | Task) -> list[str]:
        """Return the keys of taints that a program's pods tolerate, of those that are permitted."""
        wanted = dict.fromkeys(program.place.tolerate) if program.place is not None else ()
        return [key for key in wanted if key in self.tolerations]

    def refusals(self, program: Service | Task, *, restricted: bool) -> Iterator[Problem]:
        """Yield what a service or task has that is not permitted. `restricted` is the setting of that name."""
        if restricted and program.user == 0:
            message = "user 0 is root, which the setting MILL_RESTRICTED of this cluster does not permit"
            yield Problem("user", message, "write the number of another user")
        if program.stop_signal is not None and not self.stop_signals:
            message = "stop_signal is not permitted in this cluster (its setting MILL_STOP_SIGNALS is off)"
            yield Problem("stop_signal", message, "set STOPSIGNAL in the image's Dockerfile, or " + _ASK)
        for index, key in enumerate(program.place.tolerate if program.place is not None else ()):
            if key not in self.tolerations:
                where = f"place.tolerate.{index}"
                yield _refusal(where, f"toleration of '{shown(key)}'", "MILL_TOLERATIONS", self.tolerations)
        for key in program.labels:
            if not permitted(key, self.labels):
                yield _refusal(f"labels.{key}", f"label '{shown(key)}'", "MILL_POD_LABELS", self.labels)
        for key in program.annotations:
            if not permitted(key, self.annotations):
                what = f"annotation '{shown(key)}'"
                yield _refusal(f"annotations.{key}", what, "MILL_POD_ANNOTATIONS", self.annotations)


NOTHING: Final = PodPermissions()


def permitted_keys(value: str) -> tuple[str, ...]:
    """Read a setting: keys, or beginnings of keys, separated by commas. Raise ValueError that says what is allowed."""
    found = tuple(each.strip() for each in value.split(",") if each.strip())
    for each in found:
        if not is_key(f"{each}x" if each.endswith("/") else each):
            raise ValueError(
                f"'{shown(each)}' is neither a key such as example.com/team nor a domain with / at its end"
            )
        if is_own_key(f"{each}x" if each.endswith("/") else each):
            raise ValueError(f"'{shown(each)}' is Mill's own")
    return found


def _granted(texts: Mapping[str, str], granted: Sequence[str]) -> dict[str, str]:
    return {key: value for key, value in texts.items() if permitted(key, granted) and not is_own_key(key)}


def _refusal(path: str, what: str, setting: str, granted: Sequence[str]) -> Problem:
    which = f"permits {', '.join(granted[:10])}" if granted else "permits none"
    return Problem(path, f"{what} is not permitted in this cluster (its setting {setting} {which})", _ASK)
