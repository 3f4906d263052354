"""Rules about containers that cannot start."""

from typing import Final

from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds
from mill_operator.core.verdicts.start_predicates import (
    CONFIG_PROBLEMS,
    command_missing,
    entry_point_replaced,
    interpreter_missing,
    not_created_yet,
    secret_missing,
    start_failed,
    too_little_memory,
    wrong_directory,
    wrong_format,
    wrong_user,
)
from mill_operator.core.verdicts.waiting_predicates import waits

CONTAINER: Final = "container"
"""The timer of containers that a node cannot make or start: what it reports changes with each attempt."""

STARTS: Final[tuple[Rule, ...]] = (
    PodRule(
        id="start-format",
        code="ExecFormatError",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=wrong_format,
        is_own_fault=True,
        evidence="`exec format error`: a program for another processor, or a script without `#!`",
        message="container start failed: not built for {platform}",
        detail="image {image}",
        suggestion="Build the image for the node's platform, or choose nodes that it is built for, such as"
        ' `place {{ arch = "amd64" }}`.',
    ),
    PodRule(
        id="start-command-alone",
        code="CommandNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=entry_point_replaced,
        is_own_fault=True,
        evidence="the same, of a service with `command` and without `args`",
        message="container start failed: command not found",
        detail="command {command}",
        suggestion="Write `args` instead of `command` if these are arguments for the image's entry point: `command`"
        " replaces it, and what Compose calls `command` is `args` here. Otherwise check that the image contains the"
        " program.",
    ),
    PodRule(
        id="start-command",
        code="CommandNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=command_missing,
        is_own_fault=True,
        evidence="the runtime cannot execute the command: it does not exist, or is not executable",
        message="container start failed: command not found",
        detail="command {command}",
        suggestion="Check `command`, and that the image contains the program.",
    ),
    PodRule(
        id="start-interpreter",
        code="InterpreterNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=interpreter_missing,
        is_own_fault=True,
        evidence="the command exists, and the kernel does not find what it needs to run: the only line of its log is"
        " the runtime's `exec …: no such file or directory`",
        message="container start failed: interpreter or loader of the command not found",
        detail="command {command}",
        suggestion="Check the script's `#!` line and its line ends (LF, not CRLF), or build the program for the"
        " image's C library (glibc or musl).",
    ),
    PodRule(
        id="start-directory",
        code="StartFailed",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=wrong_directory,
        is_own_fault=True,
        evidence="`chdir` fails: the container's user may not enter the image's working directory",
        message="container start failed: working directory {directory} not accessible",
        suggestion="Let the container's user enter the directory, or set another `WORKDIR` in the image.",
    ),
    PodRule(
        id="start-memory",
        code="OutOfMemory",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=too_little_memory,
        is_own_fault=True,
        evidence="the kernel ended the runtime's own process in the container for its memory",
        message="out of memory at the start (limit {memory})",
        suggestion="Raise `memory`: the limit does not suffice to start any program.",
    ),
    PodRule(
        id="secret-missing",
        code="SecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=secret_missing,
        evidence="`CreateContainerConfigError`: the Secret, or the key in it, does not exist",
        message='secret "{secret}" not found',
        suggestion="Set it: mill secret set {secret} VALUE",
    ),
    PodRule(
        id="image-user",
        code="ImageUserRefused",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=wrong_user,
        is_own_fault=True,
        evidence="the cluster or Mill demands `runAsNonRoot`, and the image's user is root, or a name",
        message="container not created: the image's user must be a number other than 0",
        detail="image {image}",
        suggestion="Add `user = 65532`, or another number than 0, or set `USER` in the image to such a number.",
    ),
    PodRule(
        id="container-slow",
        code="ContainerConfigError",
        speed=Speed.NEEDS_TIME,
        grace=seconds(300),
        predicate=not_created_yet,
        evidence="time-outs and reserved names: the node's container runtime is busy with its disk, or restarts",
        message="container not created yet: {waiting}",
        suggestion="Wait: the node retries by itself. If it lasts, ask your cluster administrator to check the disk and"
        " the container runtime of node {node}.",
        timer_group=CONTAINER,
    ),
    PodRule(
        id="container-config",
        code="ContainerConfigError",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=waits(CONFIG_PROBLEMS),
        evidence="the kubelet or the runtime cannot make the container, for any other cause",
        message="container not created: {waiting}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
        timer_group=CONTAINER,
    ),
    PodRule(
        id="start-failed",
        code="StartFailed",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=start_failed,
        evidence="`StartError`, `RunContainerError`: the runtime cannot start the container, for any other cause",
        message="container start failed: {waiting}",
        suggestion="Fix what the message names, or ask your cluster administrator to check node {node}.",
        timer_group=CONTAINER,
    ),
)
