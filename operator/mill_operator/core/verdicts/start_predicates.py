"""Predicates of containers that cannot start: their command, their environment, their runtime.

What a runtime says of the command is the service's. What it says of its helpers and hooks, of cgroups, profiles, mounts
and sockets is the node's, though the texts end alike.
"""

from dataclasses import replace
from typing import Final

from mill_api import names
from mill_operator.core.observed.containers import RUNTIME_LINE, RUNTIME_WORDS
from mill_operator.core.observed.messages import cause
from mill_operator.core.patterns import Found, Pattern, literal, pattern
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.waiting_predicates import PodPredicate, waits

NOT_CREATED: Final = frozenset({"RunContainerError", "CreateContainerError"})
CONFIG_PROBLEMS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError"})

FORMAT: Final = pattern(r"(?i)exec format error")
COMMAND: Final = pattern(
    r'(?is)(?:container process|container init|oci runtime error)\b.*\bexec: \\{0,20}"[^"]*": (?:stat [^:]*: )?'
    r"(?:executable file not found|no such file or directory|permission denied|is a directory|not a directory)"
    r"|executable (?:file )?[`'][^`']*[`'] (?:for container )?(?:not found|does not exist)"  # crun, youki
    r"|open executable: (?:no such file|permission denied|operation not permitted|is a directory)"  # crun
    r'|error finding executable "[^"]*"'  # gVisor
    r"|the file \S+ was not found"  # Kata
    r"|no command specified"
)
COMMAND_NAME: Final = pattern(
    r'exec: \\{0,20}"(?P<runc>[^"\\]+)|executable (?:file )?[`\'](?P<crun>[^`\']+)'
    r'|finding executable "(?P<gvisor>[^"]+)"'
    r"|the file (?P<kata>\S+) was not found|exec (?P<line>[^\s:]+): "
)
DIRECTORY: Final = pattern(r"(?i)chdir to (?:cwd \(\\{0,20}\"|[`'\"])(?P<directory>[^\"\\`']*)")
TOO_LITTLE_MEMORY: Final = pattern(
    r"(?i)init was OOM-killed|memory limit too low|memory limit \d+ too low|minimum memory limit"
    r"|unable to set memory limit|memory\.(?:max|limit_in_bytes): (?:device or resource busy|invalid argument)"
)
HELPER: Final = pattern(
    r"(?i)unable to retrieve OCI runtime error|running (?:\w+ )?hook|runtime-hook|fork/exec|apparmor|seccomp"
)
"""A program of the runtime's own that it cannot execute."""
SLOW: Final = (
    r"deadline ?exceeded|is reserved for|name is reserved|failed to reserve (?:container|sandbox) name"
    r"|requests that are timing out|timed out waiting for the condition|operation timeout|context canceled"
    r"|is already in use by container|server is not initialized|ttrpc: closed|transport is closing"
    r"|not yet been read at least once"
    r"|(?:dial|read) unix|error reading from server|connection error: desc|cannot connect to the docker daemon"
)
"""A runtime that is busy, or restarts: mostly for its disk, and it heals by itself."""
IS_SLOW: Final = pattern(f"(?i){SLOW}")
ROOT_USER: Final = r"runAsNonRoot and image|image will run as root|breaks non-root policy"

SECRET_NOT_FOUND: Final = waits(
    {"CreateContainerConfigError"},
    rf"couldn't find key (?P<key>\S+) in Secret|secret \"{literal(names.SECRET_NAME)}\" not found",
)
NOT_RUN: Final = waits({"RunContainerError"})
NOT_RUN_YET: Final = waits(NOT_CREATED | CONFIG_PROBLEMS, SLOW)
wrong_user: Final = waits(CONFIG_PROBLEMS, ROOT_USER)


def secret_missing(subject: PodSubject) -> Match | None:
    """Find a container whose environment names a secret that is not there: the key, or all of them."""
    if (match := SECRET_NOT_FOUND(subject)) is None:
        return None
    return Match(match.evidence, {"secret": match.values["key"] or next(iter(subject.request.secrets), "?")})


def _runtime_message(subject: PodSubject) -> str:
    """Return what the runtime says of a start that failed; empty if it was not the runtime that failed.

    Programs write such texts too. Of a log only the one line counts that the runtime writes when it cannot become the
    program.
    """
    container = subject.pod.container
    if container.waiting_reason in NOT_CREATED:
        return container.waiting_message
    end = container.latest_end
    if end is not None and (end.reason in RUNTIME_WORDS or RUNTIME_LINE.fullmatch(end.message)):
        return end.message
    return ""


def _cannot_start(about: Pattern) -> PodPredicate:
    """Find a container that the runtime could not start, for a cause that is the service's."""

    def find(subject: PodSubject) -> Match | None:
        message = _runtime_message(subject)
        found = about.search(message) if message else None
        if found is None or HELPER.search(message):
            return None
        return Match(message, found.groupdict(default=""))

    return find


wrong_format: Final = _cannot_start(FORMAT)
wrong_directory: Final = _cannot_start(DIRECTORY)
too_little_memory: Final = _cannot_start(TOO_LITTLE_MEMORY)
COMMAND_MISSING: Final = _cannot_start(COMMAND)


def command_missing(subject: PodSubject) -> Match | None:
    """Find a command that does not exist in the image, or is not executable."""
    line = _runtime_line(subject)
    if line is not None and line["cause"].lower() == "permission denied":
        return _about_command(Match(_runtime_message(subject)))
    return _about_command(COMMAND_MISSING(subject))


def entry_point_replaced(subject: PodSubject) -> Match | None:
    """Find a missing command of a service that has a command and no arguments."""
    return command_missing(subject) if subject.request.has_command_alone and not subject.container else None


def interpreter_missing(subject: PodSubject) -> Match | None:
    """Find a command that exists, as the runtime has checked, and whose interpreter or loader does not."""
    line = _runtime_line(subject)
    is_missing = line is not None and line["cause"].lower() == "no such file or directory"
    return _about_command(Match(_runtime_message(subject))) if is_missing else None


def _about_command(match: Match | None) -> Match | None:
    """Add the command that the runtime names, if it names one."""
    found = COMMAND_NAME.search(match.evidence) if match is not None else None
    if match is None or found is None:
        return match
    return replace(match, values={**match.values, "command": next(filter(None, found.groups("")))})


def _runtime_line(subject: PodSubject) -> Found | None:
    end = subject.pod.container.latest_end
    return RUNTIME_LINE.fullmatch(end.message) if end is not None else None


def not_created_yet(subject: PodSubject) -> Match | None:
    """Find a runtime that has not created or started a container yet, and is busy with it, or restarts."""
    if match := NOT_RUN_YET(subject):
        return match
    end = subject.pod.container.latest_end
    if end is None or end.reason not in RUNTIME_WORDS or not IS_SLOW.search(end.message):
        return None
    return Match(end.message, {"waiting": cause(end.message)})


def start_failed(subject: PodSubject) -> Match | None:
    """Find a container that the runtime could not start, for any other cause."""
    end = subject.pod.container.latest_end
    if end is not None and (end.reason in RUNTIME_WORDS or RUNTIME_LINE.fullmatch(end.message)):
        return Match(end.message, {"waiting": cause(end.message)})
    return NOT_RUN(subject)
