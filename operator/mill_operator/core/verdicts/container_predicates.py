"""Predicates of one container of a pod: its run, and its readiness.

A predicate returns what it has found, or None. Images have theirs in `pull_predicates`, starts in `start_predicates`;
what is around a pod (the scheduler, volumes, nodes, quotas) in `pod_predicates`.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from mill_api.service_status import State
from mill_objects.kubelet import CONTAINER_CREATING
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.events import LIVENESS, PROBE
from mill_operator.core.patterns import pattern
from mill_operator.core.verdicts.probe_messages import REFUSED_PORT, in_few_words
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.waiting_predicates import PodPredicate

LONG_RUN: Final = timedelta(seconds=600)
"""A container that ran for so long before it ended has crashed for the first time: the kubelet counts so as well."""
SIGNALS: Final = {
    129: "SIGHUP",
    130: "SIGINT",
    131: "SIGQUIT",
    132: "SIGILL",
    133: "SIGTRAP",
    134: "SIGABRT",
    135: "SIGBUS",
    136: "SIGFPE",
    137: "SIGKILL",
    139: "SIGSEGV",
    141: "SIGPIPE",
    143: "SIGTERM",
}
"""Signals by the exit code of a program that they end: 128 and their number."""
LIBRARY: Final = pattern(
    r"(?:error while loading shared libraries|Error loading shared library):? (?P<missing>[^:\s]+): "
    r"|^\w*Error: (?P<opened>[\w.+-]+\.so[\w.]*): cannot open shared object file"
    r"|/(?P<library>[\w.+-]+): version `(?P<version>[^']+)' not found"
    r"|Error relocating \S+ (?P<symbol>\S+): symbol not found"
)
"""What the loaders of glibc and musl write before a program has begun, or an interpreter that cannot load a module."""
LOADERS_EXIT: Final = 127
BEHIND_AN_ERROR: Final = pattern(
    r"^(?:\s*|\s+at .*|\s+\.\.\. \d+ more|[{}()\[\],;]*|\s+(?:code|errno|syscall|path|address|port|requireStack): .*"
    r"|\s+[\])}].*|\s+'[^']*',?|Node\.js v.*|npm (?:ERR!|error).*)$"
)
"""Lines that runtimes write behind the error with which a program ends: its stack, and its properties."""
NO_PERMISSION: Final = pattern(r"(?i)permission denied|\bEACCES\b|AccessDenied|not writable|not permitted to write")
"""What programs and their runtimes write of a file that they may not write."""
READ_ONLY: Final = pattern(r"(?i)read-only file ?system|\bEROFS\b")
FIRST_GROUP: Final = 1000
"""The number of a group for an image whose user is not known."""
LIVE: Final = "live-check"
"""The rule of a container that its live check has ended."""
KILLING: Final = "Killing"
FAILED_LIVENESS: Final = "failed liveness probe"
"""What the event of a kubelet says that ends a container because of its live check."""
EVENTS_TIME: Final = timedelta(seconds=8)
"""How long after an end its events may come, and are looked up."""
CLOCK_PRECISION: Final = timedelta(seconds=1)
"""Times of a pod are whole seconds."""
_EXITS_OF_A_KILL: Final = (0, 137, 143)
_LIVE_UNKNOWN: Final = {"check": ""}
NO_PROBE: Final = "the container runs and does not become ready"
"""The evidence of a container that is not ready, while no event of a probe is known."""


def out_of_memory(end: Termination) -> bool:
    """Return whether the kernel ended a container for its memory: its program or a child process."""
    return end.reason == "OOMKilled"


def done(end: Termination) -> bool:
    """Return whether a program ended by itself with exit code 0."""
    return end.exit_code == 0 and not out_of_memory(end)


def crashed(end: Termination) -> bool:
    """Return whether it is another termination of which anything is known: a node may lose a container."""
    return not done(end) and not out_of_memory(end) and end.reason != "ContainerStatusUnknown"


def ends(is_sought: Callable[[Termination], bool]) -> PodPredicate:
    """Find a container that ends: the first time is a suspicion, the second a failure."""

    def find(subject: PodSubject) -> Match | None:
        end = subject.pod.container.latest_end
        if end is None or not is_sought(end):
            return None
        match = repeated_end(subject, end)
        if not _awaits_events(subject, end) or end.finished_at is None:
            return match
        return replace(match, since=end.finished_at + subject.node_clock_skew, grace=EVENTS_TIME)

    return find


def live_check_failed(subject: PodSubject) -> Match | None:
    """Find a container that its kubelet ended because its live check failed, as an event between start and end says."""
    end, uid = subject.pod.container.latest_end, subject.pod.uid
    if end is None or subject.container or out_of_memory(end) or not _may_be_killed(subject, end):
        return None
    kill = subject.results.newest_event(uid, KILLING, container=subject.pod.service, says=FAILED_LIVENESS)
    if kill is None or not _is_of(kill.at, end):
        return repeated_end(subject, end, _LIVE_UNKNOWN) if _is_killed_again(subject, end) else None
    probe = subject.results.newest_event(uid, PROBE, container=subject.pod.service, says=LIVENESS)
    if probe is None:
        return repeated_end(subject, end, _LIVE_UNKNOWN)
    return replace(repeated_end(subject, end, {"check": f": {in_few_words(probe.message)}"}), evidence=probe.message)


def _may_be_killed(subject: PodSubject, end: Termination) -> bool:
    """Return whether a live check can have ended a container: it had the time to fail often enough."""
    least = subject.request.least_live_time
    if least is None or end.started_at is None or end.finished_at is None:
        return False
    return end.finished_at - end.started_at + CLOCK_PRECISION >= least


def _is_of(moment: datetime, end: Termination) -> bool:
    """Return whether a kill is that of an end: the same node's clock says both."""
    if end.started_at is None or end.finished_at is None:
        return False
    return end.started_at <= moment <= end.finished_at + CLOCK_PRECISION


def _is_killed_again(subject: PodSubject, end: Termination) -> bool:
    """Return whether it is the next end of a container that its live check ended before, as far as it is known yet."""
    before = subject.previous
    return before is not None and before.rule == LIVE and end.exit_code in _EXITS_OF_A_KILL


def _awaits_events(subject: PodSubject, end: Termination) -> bool:
    """Return whether an event may still say that the live check has ended a container. A verdict is not taken back."""
    is_failed = subject.previous is not None and subject.previous.state is State.FAILED
    return not subject.container and not is_failed and _may_be_killed(subject, end)


def library_missing(subject: PodSubject) -> Match | None:
    """Find a program that ends because a shared library that it needs is not in its image."""
    end = subject.pod.container.latest_end
    if end is None or end.exit_code not in (1, LOADERS_EXIT):
        return None
    if (found := LIBRARY.search(end.message if end.exit_code == LOADERS_EXIT else _last_error(end))) is None:
        return None
    missing, opened, library, version, symbol = found.groups("")
    others = f"{library} of version {version}" if library else f"with symbol {symbol}"
    return repeated_end(subject, end, {"library": missing or opened or others})


def disk_not_writable(subject: PodSubject) -> Match | None:
    """Find a program that ends because it may not write to a disk, which mostly belongs to root."""
    end, disks = subject.pod.container.latest_end, subject.request.disks
    if end is None or not disks or subject.container or not crashed(end):
        return None
    lines = [line for line in end.message.splitlines() if NO_PERMISSION.search(line)]
    path = next((disk for disk in disks if any(_names_path(line, disk) for line in lines)), None)
    if path is None:
        return None
    group = subject.request.user or FIRST_GROUP
    return repeated_end(subject, end, {"path": path, "group": str(group)})


def root_not_writable(subject: PodSubject) -> Match | None:
    """Find a program that ends because it may not write to the file system of its image, as its file says."""
    end = subject.pod.container.latest_end
    if end is None or not subject.request.has_read_only_root or subject.container or not crashed(end):
        return None
    return repeated_end(subject, end) if READ_ONLY.search(end.message) else None


def _names_path(line: str, folder: str) -> bool:
    """Return whether a line names a folder, or something in it."""
    parts = line.split(folder.rstrip("/"))
    return any(
        not _in_name(before[-1:], "/_-.") and not _in_name(after[:1], "_-")
        for before, after in itertools.pairwise(parts)
    )


def _in_name(character: str, others: str) -> bool:
    return character.isalnum() or (character != "" and character in others)


def _last_error(end: Termination) -> str:
    """Return the line with which a program ended. What it wrote before may be about what it can do without."""
    return next((line for line in reversed(end.message.splitlines()) if not BEHIND_AN_ERROR.search(line)), "")


def repeated_end(subject: PodSubject, end: Termination, values: dict[str, str] | None = None) -> Match:
    """Return the match of an end, which is only a suspicion the first time."""
    container = subject.pod.container
    evidence = end.message or f"{end.reason or 'ended'}, exit code {end.exit_code}"
    signal = SIGNALS.get(end.exit_code)
    exit_code = f"{end.exit_code} ({signal})" if signal else str(end.exit_code)
    # A program may need its sidecar, which starts at the same time.
    has_unready_sidecar = any(not other.is_init and not other.ready for other in subject.pod.injected)
    first = container.crashes < (3 if has_unready_sidecar else 2) or _ran_long(end)
    last_line = _last_error(end) or next((line for line in reversed(end.message.splitlines()) if line.strip()), "")
    return Match(evidence, {"exit_code": exit_code, "last_line": last_line, **(values or {})}, open_ended=first)


def _ran_long(end: Termination) -> bool:
    return end.started_at is not None and end.finished_at is not None and end.finished_at - end.started_at >= LONG_RUN


def pulling(subject: PodSubject) -> Match | None:
    """Find a container whose image is being pulled: its pod has a network, and reports no trouble."""
    pod, container = subject.pod, subject.pod.container
    if pod.bound_at is None or not pod.sandbox_ready or container.image_present:
        return None
    if container.waiting_reason != CONTAINER_CREATING:  # it is another one while init containers run
        return None
    return Match(f"the container waits: {container.waiting_reason}", since=pod.bound_at)


def unready(subject: PodSubject) -> Match | None:
    """Find a container that runs and is not ready; its time counts from its first start, or since it was ready last."""
    pod = subject.pod
    if pod.container.running_since is None or pod.container.ready or pod.first_started is None:
        return None
    budget = subject.request.budget
    values = {"budget": f"{budget.total_seconds():g}s"}
    since = max(pod.first_started, pod.unready_since or pod.first_started) + subject.node_clock_skew
    probe = subject.results.newest_health_check(pod.uid, subject.container or pod.service)
    return Match(probe.message if probe else NO_PROBE, values, since, budget)


def nothing_listens(subject: PodSubject) -> Match | None:
    """Find a container that runs and is not ready because nothing listens on its port."""
    if (match := unready(subject)) is None or not (found := REFUSED_PORT.search(match.evidence)):
        return None
    return replace(match, values={**match.values, "port": found["port"]})


def injected(predicate: PodPredicate) -> PodPredicate:
    """Restrict a predicate to injected containers."""

    def find(subject: PodSubject) -> Match | None:
        return predicate(subject) if subject.container else None

    return find
