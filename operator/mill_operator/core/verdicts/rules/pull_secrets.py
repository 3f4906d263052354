"""Rules about registries that refuse a pull, with or without credentials."""

from typing import Final

from mill_operator.core.verdicts.pull_predicates import named, pull_denied, pull_secret_missing
from mill_operator.core.verdicts.rule import PodRule, Rule, Speed, seconds
from mill_operator.core.verdicts.rules.registries import IMAGE

REFUSED: Final = "refused-pull"
"""The timer of pulls that are refused: with each attempt another part of the way may refuse."""

PULL_SECRETS: Final[tuple[Rule, ...]] = (
    PodRule(
        id="image-pull-secret-named",
        code="PullSecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=named(pull_secret_missing),
        evidence="the same as below, of a service or task with `pull`",
        message="image pull failed: access denied, pull secret not found: {secrets}",
        detail=IMAGE,
        suggestion="Create that Secret, or name another by `pull`.",
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-pull-secret",
        code="PullSecretNotFound",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=pull_secret_missing,
        evidence="access denied, and the event `FailedToRetrieveImagePullSecret` of the pod",
        message="image pull failed: access denied, pull secret not found: {secrets}",
        detail=IMAGE,
        suggestion="Create that Secret, or name another in the namespace's default ServiceAccount (imagePullSecrets).",
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-denied-named",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=named(pull_denied),
        is_own_fault=True,
        evidence="the same as below, of a service or task with `pull`",
        message="image pull failed: access denied",
        detail=IMAGE,
        suggestion=(
            "Check the credentials for this registry in the Secret {pull}, which `pull` names."
            " Some registries report the same for a missing repository."
        ),
        timer_group=REFUSED,
    ),
    PodRule(
        id="image-denied",
        code="PullDenied",
        speed=Speed.LIKELY,
        grace=seconds(30),
        predicate=pull_denied,
        is_own_fault=True,
        evidence="401, 403, `unauthorized` or `denied` from the registry; 60 s on a node that became ready"
        " less than five minutes ago",
        message="image pull failed: access denied",
        detail=IMAGE,
        suggestion=(
            "Add the registry's credentials to the namespace's default ServiceAccount (imagePullSecrets)."
            " Some registries report the same for a missing repository."
        ),
        timer_group=REFUSED,
    ),
)
"""The registry does not accept the credentials of a pod, or there are none."""
