"""Rules about images that cannot be pulled, for a cause that the registry or the node names."""

from typing import Final

from mill_operator.core.verdicts.pull_predicates import (
    account_locked,
    address_refused,
    image_missing,
    incomplete,
    invalid_name,
    other_platform,
    proxy_refuses,
    pull,
    storage_refuses,
)
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds
from mill_operator.core.verdicts.rules.pull_secrets import PULL_SECRETS, REFUSED
from mill_operator.core.verdicts.rules.registries import IMAGE, REGISTRY_TROUBLE, RETRIES
from mill_operator.core.verdicts.waiting_predicates import waits

DAMAGED: Final = "damaged-image"
"""The timer of images that arrive damaged: where a transfer ends decides what the runtime notices."""

NAMED_CAUSES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="image-platform",
        code="WrongPlatform",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=other_platform,
        is_own_fault=True,
        evidence="the image's list of platforms lacks the node's",
        message="image pull failed: not built for {platform}",
        detail=IMAGE,
        suggestion="Build the image for the node's platform too, or choose nodes that it is built for, such as"
        ' `place {{ arch = "amd64" }}`.',
    ),
    PodRule(
        id="image-incomplete",
        code="ImageIncomplete",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=incomplete,
        is_own_fault=True,
        evidence="the manifest exists, and a layer does not: a push that was interrupted, or is in progress",
        message="image pull failed: incomplete in the registry",
        detail=IMAGE,
        suggestion="Push the image again: a layer is missing in the registry.",
    ),
    PodRule(
        id="image-format",
        code="ImageFormatUnsupported",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=pull(
            r"manifest\.v1\+prettyjws|no longer supported since containerd|schema ?1 (?:images?|support)"
            r"|image format v1|unsupported (?:docker v2s2|manifest|layer) media ?type"
            r"|(?:unsupported media type:? \"?|unexpected media type )application/vnd|unsupported MIME ?type"
            r"|unsupported schema version|no processor for media-type"
            r"|media type \S+ (?:is )?(?:not supported|no longer supported)|manifest schema unsupported"
        ),
        is_own_fault=True,
        evidence="the node's container runtime names a format or media type that it does not support",
        message="image pull failed: format not supported by the container runtime of node {node}",
        detail=IMAGE,
        suggestion="Rebuild the image in the OCI format, or in Docker's schema 2, with layers in gzip.",
    ),
    PodRule(
        id="image-broken",
        code="ImageBroken",
        speed=Speed.LIKELY,
        grace=seconds(60),
        predicate=pull(
            r"mismatched image rootfs and manifest layers|layers from manifest don't match image configuration"
            r"|number of layers and diff ?ids don't match"
            r"|wrong diff ?id|invalid diff ?id"
            r"|integrity check(?:sum)? failed|invalid tar header|gzip: invalid|flate: corrupt|zstd: (?:invalid|corrupt)"
            r"|mediatype in manifest should be"
        ),
        is_own_fault=True,
        evidence="the image's parts do not fit together: layers and configuration",
        message="image pull failed: broken image: {waiting}",
        detail=IMAGE,
        suggestion="Build the image and push it again. If other nodes can pull it, check the proxy or mirror between.",
        timer_group=DAMAGED,
    ),
    PodRule(
        id="image-truncated",
        code="ImageBroken",
        speed=Speed.LIKELY,
        grace=RETRIES,
        predicate=pull(r"failed size validation|unexpected commit size|size mismatch"),
        evidence="a layer that arrived with another size: mostly a connection, a proxy or a mirror that ended early",
        message="image pull failed: incomplete transfer: {waiting}",
        detail=IMAGE,
        suggestion="Check the proxy or mirror between the registry and the nodes. Otherwise push the image again.",
        timer_group=DAMAGED,
    ),
    PodRule(
        id="image-damaged",
        code="ImageBroken",
        speed=Speed.LIKELY,
        grace=RETRIES,
        predicate=pull(
            r"unexpected commit digest|(?:digest|checksum) mismatch|failed digest validation|digest did not match"
            r"|verification failed for (?:digest|layer)|layer verification failed"
        ),
        evidence="a layer or manifest whose content does not have its digest: registries check digests when an image is"
        " pushed, so that a registry, a proxy or a mirror has damaged it since",
        message="image pull failed: damaged transfer: {waiting}",
        detail=IMAGE,
        suggestion="Check the proxy or mirror between the registry and the nodes. Otherwise push the image again.",
        timer_group=DAMAGED,
    ),
    PodRule(
        id="image-short-name",
        code="InvalidImageName",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=pull(
            r"short-name .* did not resolve|no registries configured while trying to pull an unqualified image"
            r"|short.name mode is enforcing|returns ambiguous list"
        ),
        is_own_fault=True,
        evidence="the node does not know which registry is meant",
        message="image pull failed: no registry in the image's name",
        detail=IMAGE,
        suggestion="Write the full name of the image, registry first: docker.io/library/nginx:1.",
    ),
    PodRule(
        id="image-name",
        code="InvalidImageName",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=invalid_name,
        is_own_fault=True,
        evidence="`InvalidImageName`: the kubelet cannot read the image's name",
        message="image pull failed: invalid image name",
        detail=IMAGE,
        suggestion="Correct the image's name.",
    ),
    PodRule(
        id="image-never-pulled",
        code="ImageNeverPull",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=waits({"ErrImageNeverPull"}),
        is_own_fault=True,
        evidence="`ErrImageNeverPull`: the node may not pull, and does not have the image",
        message="image pull failed: not on node {node}, and pulling is forbidden",
        detail=IMAGE,
        suggestion="Put the image on the node.",
    ),
    PodRule(
        id="image-denied-locked",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=account_locked,
        evidence="the registry has locked the account after failed logins",
        message="image pull failed: account locked by the registry after failed logins",
        detail=IMAGE,
        suggestion="Correct the pull secret (imagePullSecrets of the namespace's default ServiceAccount), then wait"
        " until the registry unlocks the account: often 15 minutes.",
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-rate-limit",
        code="PullRateLimited",
        speed=Speed.NEEDS_TIME,
        grace=RETRIES,
        predicate=pull(r"too ?many ?requests|rate limit (?:was )?exceeded"),
        evidence="429, or `toomanyrequests`",
        message="image pull failed: too many requests to the registry",
        detail=IMAGE,
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
        predicate=pull(r"SignatureValidationFailed|signature validation failed|source image rejected"),
        is_own_fault=True,
        evidence="`SignatureValidationFailed`, or `Source image rejected`: the node's policy does not accept the"
        " signature",
        message="image pull failed: signature not accepted: {waiting}",
        detail=IMAGE,
        suggestion="Sign the image, or ask your cluster administrator.",
    ),
    PodRule(
        id="image-missing",
        code="TagNotFound",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=image_missing,
        is_own_fault=True,
        evidence="`not found`, `manifest unknown` or `name unknown` from the registry",
        message="image pull failed: {what} not found",
        detail=IMAGE,
        suggestion=(
            "Check the name and tag of the image, and whether it was pushed."
            " Registries report the same for a missing repository."
        ),
    ),
    PodRule(
        id="image-denied-address",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=address_refused,
        evidence="the registry's firewall does not accept the node's address",
        message="image pull failed: access denied for the node's address: {waiting}",
        detail=IMAGE,
        suggestion="Allow the addresses of the cluster in the registry's firewall.",
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-denied-proxy",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=proxy_refuses,
        evidence="a proxy or an egress policy refuses the connection, before any registry answers",
        message="image pull failed: access to the registry denied by a proxy or firewall: {waiting}",
        detail=IMAGE,
        suggestion="Ask your cluster administrator to let the nodes reach the registry.",
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-denied-storage",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=storage_refuses,
        evidence="403 of the storage or the CDN to which the registry refers, or of a page that is not a registry's",
        message="image pull failed: access denied by the storage or CDN behind the registry (403){registry}",
        detail=IMAGE,
        suggestion="Let the nodes reach it: check proxies, firewalls, and network and endpoint policies.",
        timer_group=REFUSED,
    ),
    *PULL_SECRETS,
)
"""The registry or the node names the cause."""
