"""Rules about images that cannot be pulled."""

from typing import Final

from mill_operator.core.verdicts.container_predicates import (
    image_missing,
    other_platform,
    pull,
    pull_denied,
    pull_secret_missing,
    waits,
)
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds

REGISTRY_TROUBLE: Final = "registry"
"""The timer of failures that a registry has for a while."""

NAMED_CAUSES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="image-platform",
        code="WrongPlatform",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=other_platform,
        evidence="the image's list of platforms lacks the node's",
        message="image pull failed: not built for {platform}",
        suggestion="Build the image for the node's platform too.",
    ),
    PodRule(
        id="image-incomplete",
        code="ImageIncomplete",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=pull(
            r"could not fetch content descriptor.*not found|failed to copy.*not found|(blob unknown|unknown blob)"
        ),
        evidence="the manifest exists, and a layer does not: a push that was interrupted, or is in progress",
        message="image pull failed: incomplete in the registry",
        suggestion="Push the image again: a layer is missing in the registry.",
    ),
    PodRule(
        id="image-short-name",
        code="InvalidImageName",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=pull(
            r"short-name .* did not resolve|no registries configured while trying to pull an unqualified image"
        ),
        evidence="the node does not know which registry is meant",
        message="image pull failed: no registry in the image's name",
        suggestion="Write the full name of the image, registry first: docker.io/library/nginx:1.",
    ),
    PodRule(
        id="image-name",
        code="InvalidImageName",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=waits({"InvalidImageName"}),
        evidence="`InvalidImageName`: the kubelet cannot read the image's name",
        message="image pull failed: invalid image name",
        suggestion="Correct the image's name.",
    ),
    PodRule(
        id="image-never-pulled",
        code="ImageNeverPull",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=waits({"ErrImageNeverPull"}),
        evidence="`ErrImageNeverPull`: the node may not pull, and does not have the image",
        message="image pull failed: not on node {node}, and pulling is forbidden",
        suggestion="Put the image on the node.",
    ),
    PodRule(
        id="image-rate-limit",
        code="PullRateLimited",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=pull(r"too ?many ?requests"),
        evidence="429, or `toomanyrequests`",
        message="image pull failed: too many requests to the registry",
        suggestion=(
            "Give the namespace's default ServiceAccount the credentials of an account with a higher limit"
            " (imagePullSecrets), or wait."
        ),
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-signature",
        code="SignatureRejected",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=waits({"SignatureValidationFailed"}),
        evidence="`SignatureValidationFailed`: the node's policy does not accept the image's signature",
        message="image pull failed: signature not accepted: {waiting}",
        suggestion="Sign the image, or ask your cluster administrator.",
    ),
    PodRule(
        id="image-missing",
        code="TagNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=image_missing,
        evidence="`not found`, `manifest unknown` or `name unknown` from the registry",
        message="image pull failed: {what} not found",
        suggestion=(
            "Check the name and tag of the image, and whether it was pushed."
            " Registries report the same for a missing repository."
        ),
    ),
    PodRule(
        id="image-pull-secret",
        code="PullSecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=pull_secret_missing,
        evidence="access denied, and the event `FailedToRetrieveImagePullSecret` of the pod",
        message="image pull failed: access denied, pull secret not found: {secrets}",
        suggestion="Create that Secret, or name another in the namespace's default ServiceAccount (imagePullSecrets).",
    ),
    PodRule(
        id="image-denied",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=pull_denied,
        evidence="401, 403, `unauthorized` or `denied`; at once when the node has tried again",
        message="image pull failed: access denied",
        suggestion=(
            "Add the registry's credentials to the namespace's default ServiceAccount (imagePullSecrets)."
            " Some registries report the same for a missing repository."
        ),
    ),
)
"""The registry or the node names the cause."""

VAGUE_CAUSES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="image-throttled",
        code="PullThrottled",
        speed=Speed.NO_EVIDENCE,
        grace=AT_ONCE,
        predicate=pull(r"pull QPS exceeded|context canceled"),
        evidence="`pull QPS exceeded` or `context canceled`, from the node itself; a cause that is known already stays",
        message="image pull failed: {waiting}",
        suggestion="Wait: the node is busy pulling, and retries by itself.",
    ),
    PodRule(
        id="image-registry",
        code="RegistryUnavailable",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=pull(
            r"dial tcp|no such host|connection re(fused|set)|i/o timeout|handshake timeout|deadline exceeded|\bEOF\b"
            r"|registry is unavailable|RegistryUnavailable|5\d\d (?:internal|bad|service|gateway)"
        ),
        evidence="connection refused, time-outs, no such host, 500 to 504",
        message="image pull failed: registry unavailable: {waiting}",
        suggestion="Check that the registry works and that the nodes can reach it. The node retries by itself.",
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-pull",
        code="ImagePullFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=pull(r""),
        evidence="an image that cannot be pulled, for any other cause",
        message="image pull failed: {waiting}",
        suggestion="Fix what the message names, or ask your cluster administrator. The node retries by itself.",
        timer_group=REGISTRY_TROUBLE,
    ),
)
"""No part of the message names a cause that is certain."""
