"""Predicates of what a pod waits for before its first container starts: volumes, network and devices."""

from enum import Enum, auto
from typing import Final

from mill_api import names
from mill_objects.kubelet import CREATING
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.messages import COMBINED, cause, without_ids
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.patterns import literal, pattern, repeated
from mill_operator.core.verdicts.rule_input import Match, PodSubject
from mill_operator.core.verdicts.start_predicates import IS_SLOW, TOO_LITTLE_MEMORY
from mill_operator.core.verdicts.waiting_predicates import PodPredicate

STORAGE_CLASS_NOT_FOUND: Final = pattern(r"storageclass\S* \"(?P<name>[^\"]+)\" not found")
BUSY: Final = pattern(
    r"(?i)deadline ?exceeded|code = (?:aborted|unavailable|canceled)|\bin progress|\bpending\b"
    r"|being (?:created|provisioned)"
    r"|timed out|timeout|connection (?:refused|reset)|transport is closing|too many requests|rate ?(?:limit|exceeded)"
    r"|request ?limit ?exceeded|throttl|operation with the given|try again|being (?:detached|deleted)|waiting for"
    r"|error reading from server"
    r"|resourceNotReady|\b(?:server|volume|disk|resource) is locked"
    r"|no topology key found|no available topology found|failed to get target node|snapshot \S+ (?:is )?not ready"
)
"""A provisioner or a driver that is still at work, or starts: it is asked again until it has done it."""
IN_USE: Final = pattern(
    r"(?i)multi-attach error|already (?:exclusively |being )?(?:attached|used by|mounted)"
    r"|still (?:attached|in use|being used)"
    r"|(?:currently|is) attached to|attached to (?:another|a different) |(?:was|being|is) (?:attaching|detaching)"
    r"|BeingDetached|volumeinuse|\bis (?:in use|being used)|not (?:yet )?attached according to node"
)
"""A volume that another node has not let go yet. Kubernetes detaches it by force after six minutes."""

MOUNTING: Final = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
SANDBOX: Final = ("FailedCreatePodSandBox", "NetworkNotReady", "FailedCreatePodContainer")
"""The last is about the cgroup of a pod, which the kubelet makes first."""
DEVICES: Final = ("FailedPrepareDynamicResources",)
BEGUN: Final = ("Pulling", "Pulled")
"""Events of a pod that has got past them: a kubelet does not update the status while it pulls."""
SUMMARY: Final = ("Unable to attach or mount volumes", "Unable to mount volumes for pod")
"""What the kubelet adds every two minutes. It names no cause, and hides none."""
ABSENT: Final = pattern(
    r"(?i)(?:configmap|secret|persistentvolume|persistentvolumeclaim|storageclass|serviceaccount)s?"
    r"(?:\.[\w.]+)? \"[^\"]*\" not found|references non-existent|hostpath type check failed"
    r"|given by server: no such file|invalidvolume\.notfound|path \"[^\"]*\" does not exist"
    r"|(?:volume|disk|share|snapshot|filesystem|file system|export|bucket|directory|subvolume)s?\b[^:]{0,150}"
    r"(?:(?:was )?not found|does not exist|could not be found)"
)
"""What should be mounted is not there. (A program or a device of the node that is missing is no such thing.)"""
NO_SECRET: Final = pattern(
    rf"references non-existent secret key: (?P<key>\S+)|secret \"{literal(names.SECRET_NAME)}\" not found"
)
"""A file whose secret is not there: the key, or all of them."""
NODES_OWN: Final = repeated(
    r"(?i)not found in the list of registered|executable file not found|special device \S+ does not exist|/dev/\S+"
)
VOLUME: Final = pattern(r"volume \"(?P<name>[^\"]+)\"|unmounted volumes=\[(?P<first>[^\],\s]+)")
OBJECT: Final = pattern(r"(?i)\bobject \"|configmap|secret|service ?account|\bprojected\b|failed to fetch token")
TOKEN_VOLUME: Final = ("kube-api-access-", "default-token-")
"""Beginnings of the names of volumes that Kubernetes adds to pods."""
MOUNT_COMMAND: Final = "exit status"
"""In a failed mount: the node's `mount` has ended, and no driver is at work."""
"""In a failed mount: a volume of files that Kubernetes makes of objects, and no claim."""
SANDBOX_IMAGE: Final = pattern(r"(?i)(?:sandbox image|pulling image) \"(?P<image>[^\"]+)\"")


NOT_RELATED_YET: Final = "no relationship found between node"
"""What the API server answers a kubelet that asks for what a pod needs before the server knows that it runs there."""


class MountFailure(Enum):
    """Why a volume cannot be mounted."""

    NOT_RELATED_YET = auto()
    IN_USE = auto()
    ABSENT = auto()
    FILES = auto()
    """Files made of objects, which are no claim."""
    OTHER = auto()


def volume_unbound(*, is_busy: bool) -> PodPredicate:
    """Find a pod that waits for a volume that is not provided: its provisioner is busy, or an event names a cause.

    A provisioner that has reported nothing counts as busy: it may be slow, restart, or move to another node.
    """

    def find(subject: PodSubject) -> Match | None:
        pod = subject.pod
        if pod.node is not None:
            return None
        claim = next((each for each in subject.claims if each.key.name in pod.claims and each.phase != "Bound"), None)
        if claim is None:
            return None
        events = subject.results
        failure = events.newest_event(claim.uid, "ProvisioningFailed", "FailedBinding")
        why = _why_no_volume(claim, failure.message if failure else "")
        begun = events.newest_event(claim.uid, "Provisioning")
        at_work = BUSY.search(failure.message) is not None if failure else not why
        if at_work is not is_busy:
            return None
        is_unbound = pod.unschedulable is not None and "unbound immediate" in pod.unschedulable
        waiting = events.newest_event(claim.uid, "ExternalProvisioning")
        if not why and not is_unbound and not waiting and not begun:
            return None
        evidence = next(
            (each.message for each in (failure, waiting, begun) if each),
            pod.unschedulable or f"the claim is {claim.phase}",
        )
        silence = "its provisioner is at work" if begun else "no event names a cause"
        return Match(evidence, {"volume": claim.key.name, "cause": why or silence})

    return find


def _why_no_volume(claim: ObservedChild, failure: str) -> str:
    if missing := STORAGE_CLASS_NOT_FOUND.search(failure):
        return f'storage class "{missing["name"]}" not found'
    if "no storage class is set" in failure or (not failure and claim.storage_class is None):
        return "no storage class"
    return cause(failure) if failure else ""


def mount_fails(kind: MountFailure) -> PodPredicate:
    """Find a pod whose node cannot mount a volume, for a cause of this kind."""

    def find(subject: PodSubject) -> Match | None:
        pod = subject.pod
        if (failure := _held_up_by(pod, subject, MOUNTING)) is None:
            return None
        message = failure.message.removeprefix(COMBINED)
        volume, is_claim = _volume(pod, message)
        if _kind(message, is_claim=is_claim) is not kind:
            return None
        # No suspicion is remembered of what is normal for a while: its time is that of the pod on its node.
        since = pod.bound_at if kind is MountFailure.NOT_RELATED_YET else None
        return Match(without_ids(message), {"volume": volume, "cause": cause(message)}, since)

    return find


def secret_of_file_missing(subject: PodSubject) -> Match | None:
    """Find a pod that waits for a file whose secret is not there."""
    failure = _held_up_by(subject.pod, subject, MOUNTING)
    found = NO_SECRET.search(failure.message) if failure is not None else None
    if failure is None or found is None:
        return None
    named = found["key"] or next(iter(subject.request.secrets), "?")
    return Match(without_ids(failure.message.removeprefix(COMBINED)), {"secret": named})


def _kind(message: str, *, is_claim: bool) -> MountFailure:
    if NOT_RELATED_YET in message:
        return MountFailure.NOT_RELATED_YET
    is_busy = BUSY.search(message) and not message.startswith(SUMMARY) and MOUNT_COMMAND not in message
    if is_claim and (is_busy or IN_USE.search(message)):
        return MountFailure.IN_USE
    if ABSENT.search(NODES_OWN.sub("", message)):
        return MountFailure.ABSENT
    return MountFailure.OTHER if is_claim else MountFailure.FILES


def _volume(pod: ObservedPod, message: str) -> tuple[str, bool]:
    """Return the volume that a message names, and whether it is of a claim: by the claim's name, if it is clear."""
    found = VOLUME.search(message)
    named = next(filter(None, found.groups("")), "?") if found else "?"
    if named in pod.claims:
        return named, True
    if named in pod.other_volumes or named.startswith(TOKEN_VOLUME) or OBJECT.search(cause(message)):
        return named, False
    return (pod.claims[0] if len(pod.claims) == 1 else named), True


def sandbox_fails(*, is_slow: bool) -> PodPredicate:
    """Find a pod that gets no network, or nothing else that its containers need: from a busy runtime, or another."""

    def find(subject: PodSubject) -> Match | None:
        failure = _held_up_by(subject.pod, subject, SANDBOX)
        if failure is None or (IS_SLOW.search(failure.message) is not None) is not is_slow:
            return None
        why = cause(failure.message)
        image = SANDBOX_IMAGE.search(failure.message)
        if image:
            why = f"{why} (image {image['image']} of the sandbox)"
        return Match(without_ids(failure.message.removeprefix(COMBINED)), {"cause": why})

    return find


def too_little_memory_for_sandbox(subject: PodSubject) -> Match | None:
    """Find a pod whose memory limit does not suffice for what the runtime starts first."""
    failure = _held_up_by(subject.pod, subject, SANDBOX)
    return Match(without_ids(failure.message)) if failure and TOO_LITTLE_MEMORY.search(failure.message) else None


def devices_fail(subject: PodSubject) -> Match | None:
    """Find a pod whose dynamic resources its node cannot prepare."""
    failure = _held_up_by(subject.pod, subject, DEVICES)
    return Match(failure.message, {"cause": cause(failure.message)}) if failure else None


def _held_up_by(pod: ObservedPod, subject: PodSubject, reasons: tuple[str, ...]) -> ObservedEvent | None:
    """Return the event of one of these reasons, if no newer one is about what comes before the containers."""
    if not is_pending_start(pod):
        return None
    relevant = (*MOUNTING, *SANDBOX, *DEVICES, *BEGUN)
    events = [each for each in subject.results.events.get(pod.uid, ()) if each.reason in relevant]
    newest = next((each for each in events if not _is_summary(each)), next(iter(events), None))
    return newest if newest is not None and newest.reason in reasons else None


def _is_summary(event: ObservedEvent) -> bool:
    return event.message.removeprefix(COMBINED).startswith(SUMMARY)


def is_pending_start(pod: ObservedPod) -> bool:
    """Return whether a pod on a node has not reached its first container, and does not report what it waits for."""
    return (
        pod.node is not None
        and not pod.sandbox_ready
        and pod.container.waiting_reason in {"", *CREATING}
        and not pod.container.ended
    )
