"""Pods that a new rollout replaces, since the kubelet's back-off belongs to the pod."""

from collections.abc import Iterable

from mill_api.service_status import State
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.observation import Observation


def pods_to_replace(observations: Iterable[Observation], pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Return the pods of services in trouble that are not ready: who asks again wants new ones.

    The kubelet's back-off belongs to the pod, and may be minutes by now; a new pod starts at once, and what the old
    one went through is no evidence for the new request. A service that is only starting goes on, and so does one that
    cannot be judged.
    """
    in_trouble = (State.FAILED, State.SUSPECT)
    judged = (each for each in observations if each.internal_error is None)
    templates = {each.service: each.template for each in judged if each.state in in_trouble}
    return [pod for pod in pods if templates.get(pod.service) == pod.template and not pod.ready and not pod.terminating]
