"""Runs of tasks before they have started: their Jobs, and whether the program starts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from mill_api import names
from mill_api.durations import InvalidDuration, parse_duration
from mill_api.endpoints import Endpoints
from mill_api.environment import container_texts
from mill_api.file_mounts import mounted_files
from mill_api.manifests import PodOptions, container_of, deadline, literal, run_spec
from mill_api.owner import Owner
from mill_api.placement import placed
from mill_api.quantities import InvalidQuantity, parse_cpu, parse_size
from mill_api.spec import MillDeploymentSpec, Task
from mill_api.task_status import RunState, TaskRun
from mill_gateway.core.problems import problem
from mill_gateway.objects.pods import Pod
from mill_objects.json import Json
from mill_objects.key import Key

MANUAL: Final = {"cronjob.kubernetes.io/instantiate": "manual"}
"""Annotation that kubectl sets on a Job that it creates from a CronJob."""
CPU: Final = 0.25
MEMORY: Final = "256M"
"""Requests of a run of an image, unless the caller sets others."""
MOST_SHOWN: Final = 20
"""Number of problems of one kind in an error."""
LONGEST_SHOWN: Final = 253
"""Characters of a name in an error."""
NO_CONTENTS: Final = (
    "a run of a file gets no files with a content, which only a deploy writes; deploy the file, and spawn its task"
)
NO_ROOM: Final = "no node with sufficient resources"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Settings of a run by its caller, in mill's notation."""

    image: str | None = None
    cpu: float = CPU
    memory: str = MEMORY
    env: Mapping[str, str] | None = None
    timeout: str | None = None
    command: tuple[str, ...] | None = None


class InvalidRunRequest(ValueError):
    """All problems of a request for a run, joined by newlines."""


def owner_of(cron_job: Json) -> Owner | None:
    """Return the MillDeployment that a CronJob names as its owner; None if it names none."""
    meta = cron_job["metadata"]
    if (meta.get("labels") or {}).get(names.LABEL_MANAGED_BY) != names.MANAGED_BY:
        return None
    for each in meta.get("ownerReferences") or ():
        if each.get("controller") and (each["apiVersion"], each["kind"]) == (names.API_VERSION, names.KIND):
            return Owner(Key(meta["namespace"], each["name"]), each["uid"])
    return None


def job_from_template(cron_job: Json, run: str, request: RunRequest) -> Json:
    """Return the Job of a run of a task. Raise `InvalidRunRequest`."""
    checked = checked_request(request)
    meta, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    spec = {**template["spec"]}
    if request.timeout is not None:
        spec.pop("activeDeadlineSeconds", None)
        if limit := deadline(checked.timeout):
            spec["activeDeadlineSeconds"] = limit
    pod = spec["template"]
    container, *others = pod["spec"]["containers"]
    if request.env:
        container = {**container, "env": with_overrides(container.get("env") or [], request.env)}
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


def job_of_image(owner: Owner, task: str, run: str, request: RunRequest, *, options: PodOptions) -> Json:
    """Return the Job of a run of an image, owned by a MillDeployment. Raise `InvalidRunRequest`."""
    checked = checked_request(request)
    program = Task(**{**checked.task, "name": task, "timeout": checked.timeout})
    container = container_of(program, restricted=options.restricted)
    if request.env:
        container["env"] = with_overrides([], request.env)
    return owned_job(owner, program, run, container, options)


def job_of_file(
    owner: Owner,
    task: Task,
    run: str,
    request: RunRequest,
    *,
    endpoints: Endpoints,
    options: PodOptions,
) -> Json:
    """Return the Job of a run of a task of a file that need not be deployed, owned by a MillDeployment.

    `endpoints` are those of the file's services, to which the task may refer. Raise `InvalidRunRequest`.
    """
    checked = checked_request(request)
    refused = [
        f"{each.path}: {each.message}" for each in options.permissions.refusals(task, restricted=options.restricted)
    ]
    if refused:
        raise InvalidRunRequest("\n".join(refused[:MOST_SHOWN]))
    files = mounted_files("task", task, namespace=owner.key.namespace, endpoints=endpoints)
    if files.config_map:
        raise InvalidRunRequest(f"task.{task.name}.file: {NO_CONTENTS}")
    program = task if request.timeout is None else task.model_copy(update={"timeout": checked.timeout})
    texts = container_texts(task, namespace=owner.key.namespace, endpoints=endpoints)
    env = texts.pop("env", [])
    container = container_of(program, restricted=options.restricted) | texts
    if env or request.env:
        container["env"] = with_overrides(env, request.env or {})
    job = owned_job(owner, program, run, container, options)
    files.add_to(job["spec"]["template"])
    return job


def owned_job(owner: Owner, program: Task, run: str, container: Json, options: PodOptions) -> Json:
    """Return a Job that belongs to a MillDeployment, and to no CronJob."""
    labels = {names.LABEL_TASK: program.name}
    spec = run_spec(container, owner.pod_labels() | labels, program.timeout, service_account=options.service_account)
    spec["template"] = placed(spec["template"], program, options.permissions, pull_secret=options.pull_secret)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run,
            "namespace": owner.key.namespace,
            "labels": owner.labels(program.name) | labels,
            "ownerReferences": [owner.reference(controller=True)],
        },
        "spec": spec,
    }


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request whose notations were read."""

    timeout: str
    """In Go's notation; `0s`: none."""
    task: Json


def checked_request(request: RunRequest) -> CheckedRequest:
    """Read mill's notations. Raise `InvalidRunRequest` with all problems. Without an image, amounts are ignored."""
    problems: list[str] = []
    timeout, cpu, memory = "0s", "250m", "256M"
    try:
        timeout = parse_duration(request.timeout) if request.timeout is not None else "0s"
    except InvalidDuration as error:
        problems.append(f"timeout: {error}")
    if request.image is not None:
        try:
            cpu = parse_cpu(Decimal(str(request.cpu)))
        except (InvalidQuantity, ArithmeticError) as error:
            problems.append(str(error) if isinstance(error, InvalidQuantity) else "cpu: not a number")
        try:
            memory = parse_size(request.memory)
        except InvalidQuantity as error:
            problems.append(f"memory: {error}")
    wrong = [name for name in request.env or {} if not re.fullmatch(names.ENV_NAME, name)]
    problems += [f"env: '{name[:LONGEST_SHOWN]}' is not a name" for name in wrong[:MOST_SHOWN]]
    task: Json = {
        "name": "task",
        "image": "image" if request.image is None else request.image,
        "cpu": cpu,
        "memory": memory,
    }
    if request.command is not None:
        task["command"] = list(request.command)
    try:
        Task(**task)
    except ValidationError as error:
        problems += map(problem, error.errors(include_url=False, include_input=False)[:MOST_SHOWN])
    if problems:
        raise InvalidRunRequest("\n".join(problems))
    return CheckedRequest(timeout, task)


def with_overrides(env: Iterable[Json], overrides: Mapping[str, str]) -> list[Json]:
    """Return an environment with values replaced. No reference inside a value is expanded."""
    entries = {each["name"]: each for each in env}
    return list(
        (entries | {name: {"name": name, "value": literal(value)} for name, value in overrides.items()}).values()
    )


def not_in_file(task: str, spec: MillDeploymentSpec) -> str:
    """Return the error for a task that a file does not have."""
    there = [each.name for each in spec.tasks]
    more = len(there) - MOST_SHOWN
    which = ", ".join(there[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"the file has no task {task}; it has {which}" if there else f"the file has no task {task}, and no other"


def run_name(task: str, suffix: str) -> str:
    """Return the id of a run: the name of its Job, short enough for the name of a pod."""
    return f"{task}-{suffix}"


@dataclass(frozen=True, slots=True)
class RunStart:
    """Whether a run has started."""

    node: str = ""
    status: str = "starting"
    failure: str | None = None
    """Why it will not start: a message for people."""
    reason: str | None = None
    detail: str | None = None
    """What matters beside `failure`, such as the image."""
    suggestion: str | None = None
    """What to do about it."""
    no_room: bool = False

    @property
    def settled(self) -> bool:
        """Whether waiting longer changes nothing."""
        return self.failure is not None or self.status == "running"


def read_start(pods: Iterable[Pod], verdict: TaskRun | None) -> RunStart:
    """Return whether a new run has started. One that has ended counts as running if its program had started."""
    pod = next(iter(pods), None)
    node = (pod.node if pod else None) or (verdict.node if verdict else None) or ""
    if (pod and pod.started_at) or (
        verdict and (verdict.started_at or verdict.state in (RunState.RUNNING, RunState.SUCCEEDED))
    ):
        return RunStart(node, "running")
    if verdict and verdict.state in (RunState.FAILED, RunState.STOPPED):
        failure = verdict.message or "the run was stopped before it had started"
        return RunStart(
            node,
            failure=failure,
            reason=verdict.reason,
            detail=verdict.detail,
            suggestion=verdict.suggestion,
            no_room=pod is not None and pod.unschedulable is not None,
        )
    return RunStart(node, "pulling" if node and pod and not pod.image_present else "starting")


def explain_timeout(start: RunStart, pods: Iterable[Pod]) -> RunStart:
    """Return why a run has not started in time. The status has no verdict of it: it has those of the newest runs."""
    pod = next(iter(pods), None)
    if pod is None or not (pod.over or pod.waits_after_failure):
        return start
    cause = pod.waiting or "its program could not be started"
    return RunStart(start.node, failure=f"the run has not started: {cause}", reason=pod.waiting)
