"""What rules look for in one container of a pod: its image, its start, its run.

A predicate returns what it has found, or None. What is around a pod (the scheduler, volumes, nodes, quotas) has its
predicates in `surroundings`.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Final, TypeAlias

from mill_api import names
from mill_api.status import ServiceStatus
from mill_operator.core.observed.containers import PULL_PROBLEMS, RUNTIME_LINE, RUNTIME_WORDS, Ended
from mill_operator.core.patterns import literal, pattern, repeated
from mill_operator.core.verdicts.rule_input import Match, Subject

Sees: TypeAlias = Callable[[Subject], Match | None]

LONG_RUN: Final = timedelta(seconds=600)
"""A container that ran for so long before it ended has crashed for the first time: the kubelet sees it so too."""

BACK_OFF: Final = "Back-off pulling image"
DENIED: Final = pattern(
    r"(?i)unauthorized|denied|forbidden|authentication required|no basic auth credentials"
    r"|authorization failed|incorrect username or password|authorization token has expired"
)
FILE_DENIED: Final = repeated(r"(?i)permission denied")
"""What a file system says; that is no registry's refusal."""
OTHER_PLATFORM: Final = pattern(
    r"(?i)no match for platform"
    r"|no matching manifest for (?P<docker>[\w/.-]+)"
    r"|no image found in (?:manifest list|image index) for architecture \"?(?P<arch>\w+)\"?,"
    r" variant \"?(?P<variant>\w*)\"?, OS \"?(?P<os>\w+)"
)
SAYS_NO_CAUSE: Final = pattern(rf'(?im)pull QPS exceeded|context canceled|^{BACK_OFF} "[^"]*"\s*$')
"""A pull's failure in words that say nothing of its cause: one that is known already stays."""


LOGIN_FAILS: Final = pattern(r"(?i)failed to (?:authorize|fetch \w+ token)")
NOT_FOUND: Final = (
    r"(?m::\s*not found\s*$)|: not found\b|404 not found|manifest unknown|name unknown|manifest for \S+ not found"
)
PULL_SECRETS: Final = pattern(r"secrets \((?P<secrets>[^)]+)\)")
IMAGE_IN_REQUEST: Final = repeated(r"/manifests/\S+|manifest \S+ in \S+")
WORD_CHARACTERS: Final = "_.-"


def denied(words: str) -> bool:
    """Tell whether a registry refuses."""
    return DENIED.search(FILE_DENIED.sub("", words)) is not None


def cause_known(before: ServiceStatus | None, image: str) -> bool:
    """Tell whether it has been said already why this image cannot be pulled."""
    known = before is not None and before.since is not None and (before.rule or "").startswith("image-")
    return known and before is not None and before.image in (None, image)


def waits(reasons: frozenset[str] | set[str], says: str = "") -> Sees:
    """See a container that waits for one of these reasons, with a message that matches `says`."""
    says_so = pattern(f"(?is){says}")

    def sees(subject: Subject) -> Match | None:
        pod = subject.pod
        if pod is None or pod.waiting_reason not in reasons:
            return None
        found = says_so.search(without_names(pod.waiting_message, subject.asked.image))
        return Match(pod.waiting_message or pod.waiting_reason, found.groupdict(default="")) if found else None

    return sees


@lru_cache(maxsize=1024)  # every row about images asks for the same
def without_names(message: str, image: str) -> str:
    """Take the image's names out of a message: an image may be called `denied`, and a tag `429`."""
    path = image.partition("@")[0]
    folder, slash, last = path.rpartition("/")
    path = folder + slash + last.partition(":")[0]
    host, _, rest = path.partition("/")
    repository = rest if rest and ("." in host or ":" in host or host == "localhost") else path
    message = IMAGE_IN_REQUEST.sub("", message.replace(image, "") if image else message)
    return _without_word(message, repository) if repository else message


def _without_word(text: str, word: str) -> str:
    """Take a word out wherever it stands alone."""
    before, *others = text.split(word)
    kept = [before]
    for other in others:
        alone = not _in_word(kept[-1][-1:]) and not _in_word(other[:1])
        kept += [other] if alone else [word, other]
    return "".join(kept)


def _in_word(character: str) -> bool:
    return character.isalnum() or (character != "" and character in WORD_CHARACTERS)


def pull(says: str) -> Sees:
    """See an image that cannot be pulled, for a cause that the runtime's message names."""
    return waits(PULL_PROBLEMS, says)


def other_platform(subject: Subject) -> Match | None:
    """See an image for other platforms than the node's. Some runtimes name it; the node knows it."""
    match = BY_PLATFORM(subject)
    if match is None:
        return None
    said = match.values
    platform = said["docker"] or "/".join(part for part in (said["os"], said["arch"], said["variant"]) if part)
    return Match(match.evidence, {"platform": platform} if platform else {})


NOT_FOUND_BY_REGISTRY: Final = pull(NOT_FOUND)
BY_PLATFORM: Final = pull(OTHER_PLATFORM.pattern.removeprefix("(?i)"))


def image_missing(subject: Subject) -> Match | None:
    """See an image that the registry does not have; for a digest it says the same, and so do all registries."""
    match = NOT_FOUND_BY_REGISTRY(subject)
    if match is None or LOGIN_FAILS.search(match.evidence):
        return None
    return Match(match.evidence, {"what": "digest" if "@sha256:" in subject.asked.image else "tag"})


def _pull_denied(subject: Subject) -> Match | None:
    pod = subject.pod
    if pod is None or pod.waiting_reason not in PULL_PROBLEMS:
        return None
    if not denied(without_names(pod.waiting_message, subject.asked.image)):
        return None
    return Match(pod.waiting_message or pod.waiting_reason)


def pull_denied(subject: Subject) -> Match | None:
    """See a registry that refuses. That counts at once when the node has tried again meanwhile.

    A new attempt is told by its message: `ErrImagePull`, where the last thing that we saw was the back-off.
    """
    if (match := _pull_denied(subject)) is None:
        return None
    seen_before = (subject.before and subject.before.evidence) or ""
    again = seen_before.startswith(BACK_OFF) and not match.evidence.startswith(BACK_OFF)
    return Match(match.evidence, grace=timedelta(0) if again else None)


def pull_secret_missing(subject: Subject) -> Match | None:
    """See a registry that refuses while the credentials that the pod should bring do not exist."""
    if subject.pod is None or (match := _pull_denied(subject)) is None:
        return None
    said = subject.answers.said(subject.pod.uid, "FailedToRetrieveImagePullSecret")
    found = PULL_SECRETS.search(said.message) if said else None
    return Match(match.evidence, {"secrets": found["secrets"]}) if found else None


SECRET_NOT_FOUND: Final = waits(
    {"CreateContainerConfigError"},
    rf"couldn't find key (?P<key>\S+) in Secret|secret \"{literal(names.SECRET_NAME)}\" not found",
)


def secret_missing(subject: Subject) -> Match | None:
    """See a container whose environment names a secret that is not there: the key, or all of them."""
    if (match := SECRET_NOT_FOUND(subject)) is None:
        return None
    return Match(match.evidence, {"secret": match.values["key"] or next(iter(subject.asked.secrets), "?")})


def cannot_start(says: str) -> Sees:
    """See a container that the runtime could not start."""
    says_so = pattern(f"(?i){says}")
    waiting = waits({"RunContainerError", "CreateContainerError"}, says)

    def sees(subject: Subject) -> Match | None:
        if match := waiting(subject):
            return match
        end = subject.pod.latest_end if subject.pod else None
        if end is None or not says_so.search(end.message):
            return None
        # Programs write such words too: without the runtime's own reason, only its exit codes are believed, or a log
        # that is nothing but what the runtime writes when it cannot become the program.
        runtimes = end.reason in RUNTIME_WORDS or RUNTIME_LINE.fullmatch(end.message)
        return Match(end.message) if runtimes or end.exit_code in (126, 127, 128) else None

    return sees


NOT_RUN: Final = waits({"RunContainerError"})


def start_failed(subject: Subject) -> Match | None:
    """See a container that the runtime could not start, for any other cause."""
    end = subject.pod.latest_end if subject.pod else None
    if end is not None and end.reason in RUNTIME_WORDS:
        return Match(end.message, {"waiting": end.message})
    return NOT_RUN(subject)


def out_of_memory(end: Ended) -> bool:
    """Tell a container that the kernel ended, whatever its exit code: it may have been a child of its program."""
    return end.reason == "OOMKilled"


def done(end: Ended) -> bool:
    """Tell a program that ended of itself, and well."""
    return end.exit_code == 0 and not out_of_memory(end)


def crashed(end: Ended) -> bool:
    """Tell every other end of which anything is known: a node may lose a container."""
    return not done(end) and not out_of_memory(end) and end.reason != "ContainerStatusUnknown"


def ends(how: Callable[[Ended], bool]) -> Sees:
    """See a container that ends: the first time is a suspicion, the second a failure."""

    def sees(subject: Subject) -> Match | None:
        pod = subject.pod
        end = pod.latest_end if pod else None
        if pod is None or end is None or not how(end):
            return None
        evidence = end.message or f"{end.reason or 'ended'}, exit code {end.exit_code}"
        first = pod.crashes < 2 or _ran_long(end)
        return Match(evidence, {"exit_code": str(end.exit_code)}, open_ended=first)

    return sees


def _ran_long(end: Ended) -> bool:
    return end.started_at is not None and end.finished_at is not None and end.finished_at - end.started_at >= LONG_RUN


def unready(subject: Subject) -> Match | None:
    """See a container that runs and is not ready; its time counts from its first start, or since it was ready last."""
    pod = subject.pod
    if pod is None or pod.running_since is None or pod.container_ready or pod.first_started is None:
        return None
    budget = subject.asked.budget
    values = {"budget": f"{budget.total_seconds():g}s"}
    since = max(pod.first_started, pod.unready_since or pod.first_started) + subject.clock_shift
    probe = subject.answers.said(pod.uid, "Unhealthy", container=subject.container or pod.service)
    return Match(probe.message if probe else "the container runs and does not become ready", values, since, budget)
