"""Rules about containers that cannot start."""

from typing import Final

from mill_operator.core.verdicts.container_predicates import cannot_start, secret_missing, start_failed, waits
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds

STARTS: Final[tuple[Rule, ...]] = (
    PodRule(
        id="start-format",
        code="ExecFormatError",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=cannot_start(r"exec format error"),
        evidence="`exec format error`: a program for another processor, or a script without `#!`",
        message="container start failed: not built for {platform}",
        suggestion="Build the image for the node's platform.",
    ),
    PodRule(
        id="start-command",
        code="CommandNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=cannot_start(r"no such file or directory|executable file (`[^`]*` )?not found|permission denied"),
        evidence="the runtime cannot execute the command: it does not exist, or is not executable",
        message="container start failed: command not found",
        suggestion="Check `command`, and that the image contains the program.",
    ),
    PodRule(
        id="secret-missing",
        code="SecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(20),
        predicate=secret_missing,
        evidence="`CreateContainerConfigError`: the Secret, or the key in it, does not exist",
        message='secret "{secret}" not found',
        suggestion="Set it: mill secret set {secret} VALUE",
    ),
    PodRule(
        id="container-config",
        code="ContainerConfigError",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=waits({"CreateContainerConfigError", "CreateContainerError"}),
        evidence="the kubelet or the runtime cannot make the container, for any other cause",
        message="container not created: {waiting}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
    ),
    PodRule(
        id="start-failed",
        code="StartFailed",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=start_failed,
        evidence="`StartError`, `RunContainerError`: the runtime cannot start the container, for any other cause",
        message="container start failed: {waiting}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
    ),
)
