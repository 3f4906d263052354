"""A run that somebody wants → its Job, and how its beginning went."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from mill_api import names
from mill_api.durations import InvalidDuration, parse_duration
from mill_api.manifests import container_of, deadline, literal, run_spec
from mill_api.owner import Owner
from mill_api.quantities import InvalidQuantity, parse_cpu, parse_size
from mill_api.spec import Task
from mill_api.status import RunState, TaskRun
from mill_gateway.core.problems import problem
from mill_gateway.core.services import HOPELESS
from mill_gateway.objects.pods import Pod
from mill_objects.json import Json
from mill_objects.key import Key

MANUAL: Final = {"cronjob.kubernetes.io/instantiate": "manual"}
"""What kubectl puts on a Job that it makes from a CronJob."""
CPU: Final = 0.25
MEMORY: Final = "256M"
"""What a run of an image has if nothing is said."""
MOST_SHOWN: Final = 20
"""Problems of a kind that are told."""
LONGEST_SHOWN: Final = 253
"""Characters of a name that are told."""
NO_ROOM: Final = "no node with sufficient resources"


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a run is asked for, as texts in mill's notation."""

    image: str | None = None
    cpu: float = CPU
    memory: str = MEMORY
    env: Mapping[str, str] | None = None
    timeout: str | None = None
    command: tuple[str, ...] | None = None


class BadWish(ValueError):
    """Everything that is wrong with what is asked for, in mill's words, joined by newlines."""


def owner_of(cron_job: Json) -> Owner | None:
    """Return which MillDeployment a CronJob says that it is a task of; None if of none."""
    meta = cron_job["metadata"]
    if (meta.get("labels") or {}).get(names.LABEL_MANAGED_BY) != names.MANAGED_BY:
        return None
    for each in meta.get("ownerReferences") or ():
        if each.get("controller") and (each["apiVersion"], each["kind"]) == (names.API_VERSION, names.KIND):
            return Owner(Key(meta["namespace"], each["name"]), each["uid"])
    return None


def from_template(cron_job: Json, run: str, wish: Wish) -> Json:
    """Return the Job of a run of a task of the file. Raise `BadWish`."""
    checked = _checked(wish)
    meta, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    spec = {**template["spec"]}
    if wish.timeout is not None:
        spec.pop("activeDeadlineSeconds", None)
        if limit := deadline(checked.timeout):
            spec["activeDeadlineSeconds"] = limit
    pod = spec["template"]
    container, *others = pod["spec"]["containers"]
    if wish.env:
        container = {**container, "env": _with(container.get("env") or [], wish.env)}
    spec["template"] = {**pod, "spec": {**pod["spec"], "containers": [container, *others]}}
    template_meta = template.get("metadata") or {}
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run,
            "namespace": meta["namespace"],
            "labels": template_meta.get("labels") or {},
            "annotations": {**(template_meta.get("annotations") or {}), **MANUAL},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def inline(
    deployment: Key, uid: str, task: str, run: str, wish: Wish, *, service_account: str | None, restricted: bool
) -> Json:
    """Return the Job of a run that no task of the file describes, owned by a MillDeployment. Raise `BadWish`."""
    checked = _checked(wish)
    program = Task(**{**checked.task, "name": task})
    container = container_of(program, restricted=restricted)
    if wish.env:
        container["env"] = _with([], wish.env)
    owner = Owner(deployment, uid)
    labels = owner.labels(task) | {names.LABEL_TASK: task}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run,
            "namespace": deployment.namespace,
            "labels": labels,
            "ownerReferences": [owner.reference(controller=True)],
        },
        "spec": run_spec(container, labels, checked.timeout, service_account=service_account),
    }


@dataclass(frozen=True, slots=True)
class _Checked:
    timeout: str
    """In Go's notation; `0s`: none."""
    task: Json


def _checked(wish: Wish) -> _Checked:
    """Read mill's notations. Raise `BadWish` with all that is wrong. Without an image, amounts count for nothing."""
    problems: list[str] = []
    timeout, cpu, memory = "0s", "250m", "256M"
    try:
        timeout = parse_duration(wish.timeout) if wish.timeout is not None else "0s"
    except InvalidDuration as error:
        problems.append(f"timeout: {error}")
    if wish.image is not None:
        try:
            cpu = parse_cpu(Decimal(str(wish.cpu)))
        except (InvalidQuantity, ArithmeticError) as error:
            problems.append(str(error) if isinstance(error, InvalidQuantity) else "cpu: not a number")
        try:
            memory = parse_size(wish.memory)
        except InvalidQuantity as error:
            problems.append(f"memory: {error}")
    wrong = [name for name in wish.env or {} if not re.fullmatch(names.ENV_NAME, name)]
    problems += [f"env: '{name[:LONGEST_SHOWN]}' is not a name" for name in wrong[:MOST_SHOWN]]
    task: Json = {"name": "task", "image": "image" if wish.image is None else wish.image, "cpu": cpu, "memory": memory}
    if wish.command is not None:
        task["command"] = list(wish.command)
    try:
        Task(**task)
    except ValidationError as error:
        problems += map(problem, error.errors(include_url=False, include_input=False)[:MOST_SHOWN])
    if problems:
        raise BadWish("\n".join(problems))
    return _Checked(timeout, task)


def _with(env: Iterable[Json], overrides: Mapping[str, str]) -> list[Json]:
    """Return an environment with other values, as they stand: nothing in them is replaced."""
    entries = {each["name"]: each for each in env}
    return list(
        (entries | {name: {"name": name, "value": literal(value)} for name, value in overrides.items()}).values()
    )


def run_name(task: str, suffix: str) -> str:
    """Return the id of a run: a Job's name, which its pod's name must still hold."""
    return f"{task}-{suffix}"


@dataclass(frozen=True, slots=True)
class Beginning:
    """How the beginning of a run went."""

    node: str = ""
    status: str = "starting"
    failure: str | None = None
    """Why it will not run, in plain words."""
    code: str | None = None
    no_room: bool = False

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.failure is not None or self.status == "running"


def beginning(pods: Iterable[Pod], told: TaskRun | None) -> Beginning:
    """Look at a run that was spawned just now. One that has ended already has run, if it had started."""
    pod = next(iter(pods), None)
    node = (pod.node if pod else None) or (told.node if told else None) or ""
    if (pod and pod.started_at) or (told and (told.started_at or told.state in (RunState.RUNNING, RunState.SUCCEEDED))):
        return Beginning(node, "running")
    if told and told.state in (RunState.FAILED, RunState.STOPPED):
        failure = told.message or "it was ended before it had begun"
        return Beginning(
            node, failure=failure, code=told.reason, no_room=pod is not None and pod.unschedulable is not None
        )
    return Beginning(node, "pulling" if node and pod and not pod.image_present else "starting")


def too_late(now: Beginning, pods: Iterable[Pod]) -> Beginning:
    """Judge a run that has not begun in time, and of which the operator tells nothing: it tells of the newest only."""
    pod = next(iter(pods), None)
    if pod is None or not (pod.over or pod.waiting in HOPELESS):
        return now
    cause = pod.waiting or "its program could not be started"
    return Beginning(now.node, failure=f"it has not begun: {cause}", code=pod.waiting)
