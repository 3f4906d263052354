"""What is known of a service's failure, and services that failed for the same reason as one group. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mill_cli.output.text import one_line, printable

EVIDENCE_LINES: Final = 10
"""Last lines of the evidence that are shown."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a service failed. All texts are printable and on one line."""

    reason: str
    cause: str = ""
    """What matters beside the reason: the operator's detail, or else the last line of the evidence."""
    evidence: tuple[str, ...] = ()
    suggestion: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Services that failed for the same reason."""

    services: tuple[str, ...]
    failures: tuple[Failure, ...]
    """One for each service."""

    @property
    def reason(self) -> str:
        """The reason of all."""
        return self.failures[0].reason

    @property
    def causes(self) -> Sequence[tuple[str, str]]:
        """Each service and what matters of its failure; nothing if all have the same, which the evidence shows."""
        causes = [each.cause for each in self.failures]
        return list(zip(self.services, causes, strict=True)) if len(set(causes)) > 1 else ()

    @property
    def details(self) -> Failure:
        """What to show once for all of them."""
        first = self.failures[0]
        evidence: tuple[str, ...] = ()
        if len({each.evidence for each in self.failures}) == 1:
            evidence = first.evidence
        elif not self.causes and first.cause:
            evidence = (first.cause,)
        suggestion = _common([each.suggestion for each in self.failures], self.services)
        return Failure(first.reason, evidence=evidence, suggestion=suggestion, code=first.code)


def read_failure(data: Mapping[str, Any]) -> Failure:
    """Return what the event `failed` says."""
    reason = one_line(str(data.get("reason") or "unknown"))
    lines = printable(str(data.get("evidence") or "")).strip("\n").split("\n")
    evidence = tuple(each.rstrip() for each in lines[-EVIDENCE_LINES:]) if lines != [""] else ()
    cause = _text(data.get("detail")) or next((one_line(each) for each in reversed(evidence) if each), "")
    return Failure(
        reason, "" if cause in reason else cause, evidence, _text(data.get("suggestion")), _text(data.get("code"))
    )


def detail_lines(failure: Failure) -> Iterator[tuple[str, str]]:
    """Yield the details of a failure, each with its label: evidence (`|`), suggestion and code."""
    for each in failure.evidence:
        yield "|", each
    if failure.suggestion:
        yield "help:", failure.suggestion
    if failure.code:
        yield "code:", f"{failure.code} (`mill explain {failure.code}`)"


def group_failures(failures: Iterable[tuple[str, Failure]]) -> list[Group]:
    """Return the failures of services by reason and code, each group at the place of its first service."""
    groups: dict[tuple[str, str], list[tuple[str, Failure]]] = {}
    for service, failure in failures:
        groups.setdefault((failure.reason, failure.code), []).append((service, failure))
    return [
        Group(tuple(service for service, _ in found), tuple(failure for _, failure in found))
        for found in groups.values()
    ]


def _common(suggestions: Sequence[str], services: Sequence[str]) -> str:
    """Return the suggestion of all services, which may differ in their names; the first one if it differs in more."""
    if len(set(suggestions)) == 1:
        return suggestions[0]
    general = {
        re.sub(rf"(?<![-\w]){re.escape(service)}(?![-\w])", "SERVICE", suggestion)
        for suggestion, service in zip(suggestions, services, strict=True)
    }
    return general.pop() if len(general) == 1 else suggestions[0]


def _text(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""
