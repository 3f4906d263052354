"""What is known of the cluster → an observation of each service; one that cannot be judged costs no other its own."""

from collections.abc import Iterable
from datetime import datetime

from mill_api.status import ServiceStatus
from mill_operator.core import timestamps
from mill_operator.core.internal_errors import internal_error_of
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.rendering import DesiredState
from mill_operator.core.observed.lookup_results import Answers
from mill_operator.core.observed.pods import ChildFacts, PodFacts
from mill_operator.core.verdicts.judge import Observation, judge
from mill_operator.core.verdicts.rule_input import Problem
from mill_operator.core.verdicts.unjudged import unjudged
from mill_operator.cpu_time import give_way
from mill_operator.memory import Memory


async def judge_all(
    memory: Memory,
    wanted: DesiredState,
    children: Iterable[ChildObject],
    pods: Iterable[PodFacts],
    there: Iterable[ChildFacts],
    answers: Answers,
    now: datetime,
    *,
    afresh: bool,
) -> list[Observation]:
    pods_of: dict[str, list[PodFacts]] = {}
    for pod in pods:
        pods_of.setdefault(pod.service, []).append(pod)
    deployments: dict[str, ChildFacts] = {}
    claims_of: dict[str, list[ChildFacts]] = {}
    for each in there:
        if each.kind == "Deployment":
            deployments[each.service] = each
        elif each.kind == "PersistentVolumeClaim":
            claims_of.setdefault(each.service, []).append(each)
    previous: dict[str, ServiceStatus] = {} if afresh else {each.name: each for each in memory.status.services}
    rollout = None if afresh else memory.status.rollout
    problem_of: dict[str | None, Problem] = {}
    for child in children:
        if (problem := memory.writes.problem(child)) is not None:
            problem_of.setdefault(child.service, problem)
    observations = []
    for service in wanted.services:
        await give_way()
        deployment, before = deployments.get(service.name), previous.get(service.name)
        if service.internal_error is not None:
            observations.append(unjudged(service, service.internal_error, before, now))
            continue
        try:
            observation = judge(
                service,
                pods_of.get(service.name, ()),
                deployment_replicas=deployment.replicas if deployment else None,
                refusal=deployment.refusal if deployment else "",
                problem=problem_of.get(service.name),
                previous=before,
                now=now,
                claims=claims_of.get(service.name, ()),
                answers=answers,
                asked_at=timestamps.parse(rollout.started_at) if rollout else now,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its neighbours have nothing to do with it
            observation = unjudged(service, internal_error_of(error), before, now)
        observations.append(observation)
    return observations
