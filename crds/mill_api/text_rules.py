"""The rules of texts of a spec, in one table: names, images, paths, durations and single words.

They are applied as `constraints` says.
"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from mill_api import names
from mill_api.constraints import (
    LONGEST_CHECK,
    LONGEST_SCHEDULE_DEADLINE,
    LONGEST_SETTLE,
    LONGEST_START,
    LONGEST_STOP,
    SHORTEST_SCHEDULE_DEADLINE,
    AddedLimit,
    TextRule,
)
from mill_api.durations import LONGEST, TOO_LONG, format_timedelta, is_longer, is_too_long

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN: Final = (
    r"(?:[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])"
)
_IMAGE: Final = (
    rf"^(?:{_DOMAIN}(?::[0-9]+)?/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[a-zA-Z0-9_][-.\w]{0,127})?(?:@[a-zA-Z][a-zA-Z0-9]*(?:[-_+.][a-zA-Z][a-zA-Z0-9]*)*:[0-9a-fA-F]{32,})?$"
)


def _suggest_image(image: str) -> str:
    if image.startswith(("http://", "https://", "docker://")):
        return "leave the scheme out: registry.example.com/name:tag"
    if re.search(r"[A-Z]", image.rpartition("/")[2].partition(":")[0]):
        return "use small letters in the image name: registry.example.com/name:tag"
    return "write name:tag or registry.example.com/team/name:tag, without spaces"


SERVICE_NAME: Final = TextRule(
    pattern=names.SERVICE_NAME,
    max_length=63,
    refusal="'{}' is not a service name",
    suggestion="use at most 63 of a-z, 0-9 and -, begin with a letter and do not end with -: it becomes a DNS name",
)
TASK_NAME: Final = TextRule(
    pattern=names.TASK_NAME,
    max_length=52,
    refusal="'{}' is not a task name",
    suggestion="use at most 52 of a-z, 0-9 and -, begin with a letter and do not end with -: it names a CronJob",
)
VOLUME_NAME: Final = TextRule(
    pattern=names.VOLUME_NAME,
    max_length=63,
    refusal="'{}' is not a volume name",
    suggestion="use at most 63 of a-z, 0-9 and -, and neither begin nor end with -",
)
PORT_NAME: Final = TextRule(
    pattern=names.PORT_NAME,
    max_length=15,
    refusal="'{}' is not a port name",
    suggestion="use at most 15 of a-z, 0-9 and single -, with a letter, and neither begin nor end with -",
    has_cel=False,
)
HOST_NAME: Final = TextRule(
    pattern=names.HOST_NAME,
    max_length=253,
    refusal="'{}' is not a host name",
    suggestion="write a DNS name in small letters, such as www.example.com or *.example.com, without scheme or port",
    has_cel=False,  # a rule on so many texts of that length exceeds the API server's budget
)
IMAGE: Final = TextRule(
    pattern=r"^\S+$",
    max_length=1024,
    min_length=1,
    refusal="'{}' is not an image reference",
    suggestion=_suggest_image,
    strict=_IMAGE,
)
PATH: Final = TextRule(
    pattern="^/",
    max_length=1024,
    min_length=1,
    refusal="path must start with '/', got '{}'",
    suggestion="begin the path with a slash",
)
HEALTH_PATH: Final = TextRule(
    pattern="^/",
    max_length=1024,
    min_length=1,
    refusal="health path must start with '/', got '{}'",
    suggestion="begin the path with a slash, as in /healthz",
)
_STEP: Final = r"(?:[^/:.\x00-\x1f\x7f]|\.[^/:.\x00-\x1f\x7f]|\.\.[^/:\x00-\x1f\x7f])[^/:\x00-\x1f\x7f]*"
"""One step of a path: neither `.` nor `..`."""
FILE_PATH: Final = TextRule(
    pattern=rf"^(?:/{_STEP})+$",
    max_length=1024,
    min_length=2,
    refusal="'{}' is not the path of a file",
    suggestion="write the whole path, such as /etc/app.conf, without `..`, `:`, `//` and a slash at the end",
    has_cel=False,
)
FILE_MODE: Final = TextRule(
    pattern="^0[0-7]{3}$",
    max_length=4,
    refusal="'{}' is not the mode of a file",
    suggestion='write four octal digits in quotes, such as mode = "0755"',
    has_cel=False,
)
SECRET_NAME: Final = TextRule(
    pattern=names.SECRET_KEY,
    max_length=253,
    refusal="'{}' is not a secret name",
    suggestion="use letters, digits, -, _ and .",
    has_cel=False,
)
DURATION: Final = TextRule(
    pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
    max_length=32,
    refusal="invalid duration '{}'",
    suggestion="write numbers and units, such as 10s or 1h30m",
    added_limit=AddedLimit(
        is_exceeded=is_too_long,
        refusal=f"invalid duration '{{}}': {TOO_LONG}",
        suggestion="write a shorter one",
        cel=f"duration(self) <= duration('{LONGEST // timedelta(hours=1)}h')",
    ),
)
SETTLE: Final = replace(
    DURATION,
    added_limit=AddedLimit(
        is_exceeded=lambda text: is_longer(text, LONGEST_SETTLE),
        refusal="settle must be at most 5m, got '{}'",
        suggestion='write a time from 0s to 5m, such as settle = "10s"',
        cel="duration(self) <= duration('5m')",
    ),
)
START: Final = replace(
    DURATION,
    added_limit=AddedLimit(
        is_exceeded=lambda text: is_longer(text, LONGEST_START) or not is_longer(text, timedelta(0)),
        refusal="start must be longer than 0s and at most 1h, got '{}'",
        suggestion='write the longest time that a start takes, such as start = "3m"',
        cel="duration(self) > duration('0s') && duration(self) <= duration('1h')",
    ),
)
_ARCHITECTURES: Final = ("amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64")
_OTHER_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armv7": "arm", "i386": "386"}


def _suggest_architecture(name: str) -> str:
    known = _OTHER_ARCHITECTURES.get(name.lower())
    return f"write {known}" if known else f"write one of {', '.join(_ARCHITECTURES)}"


ARCHITECTURE: Final = TextRule(
    pattern="^[a-zA-Z0-9_-]+$",
    max_length=32,
    refusal="'{}' is not an architecture that Kubernetes knows",
    suggestion=_suggest_architecture,
    strict=f"^({'|'.join(_ARCHITECTURES)})$",
    has_cel=False,
)
_PULL_POLICIES: Final = ("always", "never", "ifnotpresent", "if-not-present", "if_not_present", "missing")


def _suggest_pull(name: str) -> str:
    if name.lower() in _PULL_POLICIES:
        return (
            "leave it out: nodes pull an image that they do not have, and one with the tag latest each time; `pull` "
            "names the Secret with the registry's credentials"
        )
    return "use at most 253 of a-z, 0-9, - and ., and neither begin nor end with - or ."


PULL_SECRET: Final = TextRule(
    pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    strict=rf"^(?!(?:{'|'.join(_PULL_POLICIES)})$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    max_length=253,
    refusal="'{}' is not the name of a Kubernetes Secret",
    suggestion=_suggest_pull,
    has_cel=False,
)


_SECOND: Final = timedelta(seconds=1)


def _duration_within(what: str, shortest: timedelta, longest: timedelta, suggestion: str) -> TextRule:
    """Return the rule of a duration with a least and a greatest value. `what` is its name in the refusal."""
    least, most = format_timedelta(shortest), format_timedelta(longest)
    return replace(
        DURATION,
        has_cel=False,
        added_limit=AddedLimit(
            is_exceeded=lambda text: (
                is_longer(text, longest) or not is_longer(text, shortest - timedelta(milliseconds=1))
            ),
            refusal=f"{what} must be from {least} to {most}, got '{{}}'",
            suggestion=suggestion,
            cel=f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')",
        ),
    )


CHECK_TIMEOUT: Final = _duration_within(
    "timeout of a check",
    _SECOND,
    LONGEST_CHECK,
    'write the longest time that an answer takes, such as timeout = "5s"',
)
STOP: Final = _duration_within(
    "stop",
    _SECOND,
    LONGEST_STOP,
    'write the longest time that the program takes to end, such as stop = "45s"',
)
SCHEDULE_DEADLINE: Final = _duration_within(
    "deadline",
    SHORTEST_SCHEDULE_DEADLINE,
    LONGEST_SCHEDULE_DEADLINE,
    'write how late a run may start, such as deadline = "1h"',
)
_SIGNALS: Final = (
    *("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGKILL"),
    *("SIGABRT", "SIGALRM", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGPWR", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX"),
)


def _suggest_signal(name: str) -> str:
    full = f"SIG{name.upper().removeprefix('SIG')}"
    if full in _SIGNALS:
        return f"write {full}"
    return f"write the name of a signal: {', '.join(_SIGNALS[:6])}"


STOP_SIGNAL: Final = TextRule(
    pattern="^[A-Za-z0-9+-]+$",
    max_length=16,
    refusal="'{}' is not a signal",
    suggestion=_suggest_signal,
    strict=f"^({'|'.join(map(re.escape, _SIGNALS))})$",
    has_cel=False,
)
SURGE: Final = TextRule(
    pattern="^([0-9]{1,4}|[0-9]{1,3}%)$",
    max_length=4,
    refusal="surge must be from 1 to 1000 pods or from 1% to 100%, got '{}'",
    suggestion='write a number of pods, such as surge = 1, or a part of the replicas, such as surge = "25%"',
    strict="^([1-9][0-9]{0,2}|1000|([1-9][0-9]?|100)%)$",
    has_cel=False,
)

TEXT_RULES: Final = {
    "service_name": SERVICE_NAME,
    "task_name": TASK_NAME,
    "volume_name": VOLUME_NAME,
    "port_name": PORT_NAME,
    "host_name": HOST_NAME,
    "image": IMAGE,
    "path": PATH,
    "health_path": HEALTH_PATH,
    "file_path": FILE_PATH,
    "file_mode": FILE_MODE,
    "secret_name": SECRET_NAME,
    "duration": DURATION,
    "settle": SETTLE,
    "start": START,
    "architecture": ARCHITECTURE,
    "pull_secret": PULL_SECRET,
    "check_timeout": CHECK_TIMEOUT,
    "stop": STOP,
    "stop_signal": STOP_SIGNAL,
    "schedule_deadline": SCHEDULE_DEADLINE,
}
"""Every rule of texts, by the name with which a field's schema refers to it."""
