"""Findings of a service that depends on others: suspicions while those serve nothing, with their failure as root."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mill_api.rollout_tasks import RolloutTask
from mill_objects.printable import one_line
from mill_operator.core import limits
from mill_operator.core.verdicts.dependence import Dependence, Root
from mill_operator.core.verdicts.findings import Finding
from mill_operator.core.verdicts.rules.progress import NOT_BEGUN, RELEASE_FAILED, WAITING


def with_patience(findings: Sequence[Finding], given: Dependence, now: datetime) -> list[Finding]:
    """Return findings as they count while a service waits for another one, or after that one has failed or serves.

    Most severe first, as `find` returns them. None is due before it would be due without the other service.
    """
    if given.served_since is not None:
        since = min(given.served_since, now)
        changed = [_later(each, since) for each in findings]
    elif given.waiting_for or given.root is not None:
        changed = [_patient(each, given, now) for each in findings]
    else:
        return list(findings)
    return sorted(changed, key=lambda each: not each.is_due(now))


def _later(finding: Finding, since: datetime) -> Finding:
    """Return a finding whose time began when the service had nothing to wait for any more, if not after that."""
    if not finding.rule.is_patient or finding.since >= since:
        return finding
    return replace(finding, since=since, due=finding.due and finding.due + (since - finding.since))


def _patient(finding: Finding, given: Dependence, now: datetime) -> Finding:
    starts = finding.due is not None and not finding.is_due(now)  # it has time of its own left
    if not finding.rule.is_patient or (given.waiting_for and starts):
        return finding
    if given.waiting_for:
        waiting = WAITING.message.format(services=", ".join(given.waiting_for))
        message = one_line(f"{waiting}: {finding.message}", limits.TEXT_BYTES)
        return replace(finding, message=message, due=None, waits=True)
    root = given.root
    assert root is not None  # noqa: S101 - one of the two
    if finding.due is None:
        return finding
    return replace(
        finding,
        message=one_line(f"{finding.message} ({root.name} has failed: {root.cause})", limits.TEXT_BYTES),
        due=max(finding.due, root.since),
        root=root.name,
        is_own_fault=False,
    )


def blocked(service: str, given: Dependence, now: datetime) -> Finding:
    """Return why the new version of a service has not begun."""
    if (root := given.held_root) is not None:
        return _not_begun(service, root, now)
    if given.hold is not None and given.hold.failed is not None:
        return _release_failed(given.hold.failed, now)
    tasks = () if given.hold is None else (f"task {each}" for each in given.hold.tasks)
    services = ", ".join((*given.held_by, *tasks))
    message, suggestion = WAITING.message.format(services=services), WAITING.suggestion.format(services=services)
    return Finding(WAITING, message, "", suggestion, since=now, due=None, waits=True)


def _release_failed(task: RolloutTask, now: datetime) -> Finding:
    values = {"task": task.name, "cause": task.message or "unknown", "run": task.run or task.name}
    message = one_line(RELEASE_FAILED.message.format_map(values), limits.TEXT_BYTES)
    suggestion = RELEASE_FAILED.suggestion.format_map(values)
    return Finding(RELEASE_FAILED, message, "", suggestion, now, due=now, detail=task.detail or "")


def _not_begun(service: str, root: Root, now: datetime) -> Finding:
    values = {"service": service, "root": root.name, "cause": root.cause}
    message = one_line(NOT_BEGUN.message.format_map(values), limits.TEXT_BYTES)
    return Finding(NOT_BEGUN, message, "", NOT_BEGUN.suggestion.format_map(values), now, due=now, root=root.name)
