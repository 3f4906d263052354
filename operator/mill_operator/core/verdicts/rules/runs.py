"""Rules about containers that end."""

from typing import Final

from mill_operator.core.verdicts.container_predicates import (
    LIVE,
    crashed,
    disk_not_writable,
    done,
    ends,
    injected,
    library_missing,
    live_check_failed,
    out_of_memory,
    root_not_writable,
)
from mill_operator.core.verdicts.pod_predicates import exceeds_its_storage
from mill_operator.core.verdicts.rule import AT_ONCE, EvictionRule, PodRule, Rule, Speed

LAST_LINE: Final = "last log line: {last_line}"

ENDS: Final[tuple[Rule, ...]] = (
    PodRule(
        id="out-of-memory-injected",
        code="OutOfMemory",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=injected(ends(out_of_memory)),
        evidence="`OOMKilled`, twice, of a container that is not the service's own",
        message="out of memory (limit {memory})",
        suggestion="Raise the memory limit where that container is configured, such as the injector's settings.",
    ),
    PodRule(
        id="out-of-memory",
        code="OutOfMemory",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=ends(out_of_memory),
        is_own_fault=True,
        evidence="`OOMKilled`, twice: the container, or one of its processes",
        message="out of memory (limit {memory})",
        suggestion="Raise `memory`, or that of `limits`, or find out why the program needs more.",
    ),
    PodRule(
        id=LIVE,
        code="LivenessFailed",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=live_check_failed,
        is_own_fault=True,
        is_patient=True,
        evidence="an event of the kubelet that it ends the container because its live check failed, twice",
        message="restarted since the live check failed{check}",
        detail=LAST_LINE,
        suggestion="Find out why the program does not answer its `live` check, or correct that check: mill logs"
        " {service}. A check that fails because the program is busy does more harm than good: give it a longer"
        " `timeout` or a larger `failure_threshold`.",
    ),
    PodRule(
        id="ended",
        code="ProgramEnded",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=ends(done),
        is_own_fault=True,
        is_patient=True,
        evidence="exit code 0, twice",
        message="container exited with code 0",
        detail=LAST_LINE,
        suggestion="Declare a program that finishes its work as a `task`: a service runs until it is stopped.",
    ),
    PodRule(
        id="shared-library",
        code="SharedLibraryNotFound",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=library_missing,
        is_own_fault=True,
        evidence="the loader's last words, twice: `error while loading shared libraries`, or a version that is missing",
        message="container exited with code {exit_code}: shared library {library} not found",
        suggestion="Install the library in the image, or build the program without it.",
    ),
    PodRule(
        id="disk-permission",
        code="ContainerExited",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=disk_not_writable,
        is_own_fault=True,
        is_patient=True,
        evidence="the same as below, with last words such as `Permission denied` about a path in a persistent volume,"
        " of a service without `group`",
        message="container exited with code {exit_code}",
        detail=LAST_LINE,
        suggestion="Add `group = {group}` to the service if the volume at {path} belongs to root: it then belongs to"
        " that group.",
    ),
    PodRule(
        id="read-only-root",
        code="ContainerExited",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=root_not_writable,
        is_own_fault=True,
        is_patient=True,
        evidence="the same as below, with last words such as `Read-only file system`, of a service or task with"
        " `read_only_root`",
        message="container exited with code {exit_code}",
        detail=LAST_LINE,
        suggestion="Give the program a volume where it writes, such as an ephemeral one at /tmp, or leave out"
        " `read_only_root`.",
    ),
    PodRule(
        id="crash",
        code="ContainerExited",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=ends(crashed),
        is_own_fault=True,
        is_patient=True,
        evidence="any other exit code, twice",
        message="container exited with code {exit_code}",
        detail=LAST_LINE,
        suggestion="Read all of its output: mill logs {service}",
    ),
    EvictionRule(
        id="storage-limit",
        code="StorageLimitExceeded",
        speed=Speed.LIKELY,
        grace=AT_ONCE,
        predicate=exceeds_its_storage,
        is_own_fault=True,
        evidence="two pods that were evicted for exceeding their own limit",
        message="storage limit exceeded: {what} (limit {limit})",
        suggestion="Raise the volume's `size`, or write less.",
    ),
)
