"""Rules about pods that the API server does not let a Deployment or a Job create."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import refused_pods
from mill_operator.core.verdicts.rule import CreationRule, Rule, Speed, seconds

PASSING: Final = "passing-refusal"
"""The timer of refusals that pass by themselves."""
UNREACHED: Final = r"(?:\b(?:get|head|post) \"?https?://[^\s\"]*\"?: |dial tcp)"
"""In a webhook's denial: it could not ask the server that it needs, such as a registry for a signature."""

REFUSALS: Final[tuple[Rule, ...]] = (
    CreationRule(
        id="pods-quota",
        code="QuotaExceeded",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=refused_pods(r"exceeded quota: (?P<cause>.*)"),
        evidence="the Deployment may create no more pods: `exceeded quota`; a pod that gets ready restarts the timer",
        message="quota exceeded: {cause}",
        suggestion="Request less, or ask for a larger quota.",
        timer_group=PASSING,  # several pods at once get this answer or a conflict about the quota
    ),
    CreationRule(
        id="pods-account",
        code="PodsRefused",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=refused_pods(
            r"^(?P<cause>(?:error looking up service account|service account \S+ was not found"
            r"|serviceaccounts? \"[^\"]*\" not found|no API token found for service account).*)"
        ),
        evidence="the pods' ServiceAccount does not exist; Kubernetes creates the one of a new namespace in a moment",
        message="pods refused: {cause}",
        suggestion="Wait in a new namespace. Otherwise create the ServiceAccount that the message names.",
        timer_group=PASSING,
    ),
    CreationRule(
        id="pods-blocked",
        code="AdmissionBroken",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=refused_pods(
            rf"^(?P<cause>(?:admission webhook \"[^\"]*\" denied the request:\s.*{UNREACHED}"
            r"|not yet ready to handle request|the \w+ operation against"
            r"|Internal error occurred|failed calling (?:admission )?webhook|Timeout: |context deadline"
            r"|etcdserver|rpc error|Operation cannot be fulfilled|status unknown for quota|conversion webhook"
            r"|the server (?:is|was|has|could not|rejected)|(?:Post|Get|Put|Patch) \"?https?:|net/http|http2"
            r"|unexpected EOF|dial tcp|read tcp|client rate limiter|too ?many ?requests"
            r"|storage is \(re\)initializing|leader changed"
            r"|apiserver|user \"system:serviceaccount:kube-system:|unauthorized$).*)"
        ),
        evidence="the API server or an admission webhook does not answer, a webhook cannot reach a server that it"
        " needs, or a quota's status is not known yet",
        message="pods not accepted by the cluster: {cause}",
        suggestion="Wait while a webhook or the API server restarts. Otherwise ask your cluster administrator to repair"
        " what the message names.",
        timer_group=PASSING,
    ),
    CreationRule(
        id="pods-refused",
        code="PodsRefused",
        speed=Speed.LIKELY,
        grace=seconds(2),
        predicate=refused_pods(r"(?P<cause>.+)"),
        evidence="the Deployment may create no pods: LimitRange, admission",
        message="pods refused: {cause}",
        suggestion="Fix what the message names, or ask your cluster administrator.",
    ),
)
