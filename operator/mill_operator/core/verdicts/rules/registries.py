"""Rules about images that cannot be pulled, for a cause of the registry, the way to it, or the node."""

from typing import Final

from mill_operator.core.verdicts.pull_predicates import pull
from mill_operator.core.verdicts.rule import AT_ONCE, PodRule, Rule, Speed, seconds

REGISTRY_TROUBLE: Final = "registry"
"""The timer of failures that a registry, or a node's store of images, has for a while."""

RETRIES: Final = seconds(120)
"""The kubelet pulls again after 10, 20 and 40 seconds, each time up to 15 seconds late. A registry that is away for a
minute is answered by the third of these attempts, not before."""
IMAGE: Final = "image {image}"
"""What matters of a pull."""

VAGUE_CAUSES: Final[tuple[Rule, ...]] = (
    PodRule(
        id="image-runtime",
        code="ImagePullFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=pull(
            r"(?:dial|read) unix|error reading from server|transport is closing|connection error: desc"
            r"|cannot connect to the docker daemon|(?:containerd|crio|docker|dockerd)\.sock"
            r"|failed to inspect image .*deadline exceeded|unknown service runtime|server is not initialized"
            r"|connection is closing"
        ),
        evidence="the kubelet cannot connect to the container runtime of its node",
        message="image pull failed: container runtime of node {node} does not answer: {waiting}",
        detail=IMAGE,
        suggestion="Wait if the runtime restarts. Otherwise ask your cluster administrator to check node {node}.",
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-registry",
        code="RegistryUnavailable",
        speed=Speed.NEEDS_TIME,
        grace=RETRIES,
        predicate=pull(
            r"dial tcp|no such host|server misbehaving|connection re(?:fused|set)|no route to host"
            r"|network is unreachable|broken pipe|i/o timeout|handshake timeout|timeout awaiting|deadline exceeded"
            r"|client\.timeout|request canceled|stream error|rst_stream|goaway|\bEOF\b|registry is unavailable"
            r"|RegistryUnavailable|(?:head|get|post) \"[^\"\s]*\": context canceled"
            r"|\b5\d\d \(?(?:internal|bad|service|gateway)|http 5\d\d"
            r"|connection timed out|name resolution|could not resolve host|no healthy upstream|upstream connect error"
            r"|internal server error|bad gateway|service (?:is )?(?:currently |temporarily )?unavailable"
            r"|gateway time-?out|closed network connection|client connection lost|408 request time-?out"
            r"|tls: bad record mac|https?://\S+: 5\d\d\b"
        ),
        evidence="connection refused, time-outs, no such host, 500 to 504",
        message="image pull failed: registry unavailable: {waiting}",
        detail=IMAGE,
        suggestion="Check that the registry works and that the nodes can reach it. The node retries by itself.",
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-throttled",
        code="PullThrottled",
        speed=Speed.NO_EVIDENCE,
        grace=AT_ONCE,
        predicate=pull(r"pull QPS exceeded|context canceled"),
        evidence="`pull QPS exceeded` or `context canceled`, from the node itself; a cause that is known already stays",
        message="image pull failed: {waiting}",
        detail=IMAGE,
        suggestion="Wait: the node is busy pulling, and retries by itself.",
    ),
    PodRule(
        id="image-store",
        code="ImagePullFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(120),
        predicate=pull(
            r"no space left on device|input/output error|read-only file system|disk quota exceeded"
            r"|structure needs cleaning|content digest \S+: not found|blob not found"
            r"|(?:parent|missing) (?:snapshot|parent)"
            r"|failed to (?:stat parent|prepare extraction snapshot|create snapshot|commit snapshot|extract layer)"
            r"|failed to (?:register layer|mount)"
            r"|failed to unpack image on snapshotter [^:]*: failed|/var/lib/(?:containerd|docker|containers)"
            r"|bucket: not found|lease \S+ (?:not found|does not exist)|snapshotter \S+ (?:was )?not found|unpacker"
            r"|unpack platforms|locked(?: for .*)?: unavailable|database (?:not open|is locked)"
        ),
        evidence="the node's disk or its store of images: what is full, broken, or missing in it",
        message="image pull failed: disk or image store of node {node}: {waiting}",
        detail=IMAGE,
        suggestion="Wait for the next attempt. If it fails, ask your cluster administrator to check the disk of node"
        " {node}, or move the service to another node.",
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-no-registry",
        code="ImagePullFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=pull(
            r"text/html|<!doctype|<html|invalid character '[^']*'|404 page not found"
            r"|error parsing http \d+ response body"
            r"|ping(?:ing)? (?:container |docker )?registry .*40[0-9]|malformed HTTP response"
        ),
        evidence="a web page, or nothing that a registry says: from a proxy, a mirror, or another server",
        message="image pull failed: no registry's answer: {waiting}",
        detail=IMAGE,
        suggestion="Check the registry in the image's name, and the mirror or proxy between it and the nodes.",
        timer_group=REGISTRY_TROUBLE,
    ),
    PodRule(
        id="image-certificate",
        code="ImagePullFailed",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=pull(
            r"x509: "
            r"|certificate (?:signed by|has expired|is (?:not )?valid|verify failed)|tls: failed to verify"
        ),
        evidence="the node does not accept the certificate of the registry",
        message="image pull failed: certificate not accepted: {waiting}",
        detail=IMAGE,
        suggestion="Renew the registry's certificate, or let the nodes trust its issuer.",
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
        detail=IMAGE,
        suggestion="Fix what the message names, or ask your cluster administrator.",
        timer_group=REGISTRY_TROUBLE,
    ),
)
"""No part of the message names a cause that is certain."""
