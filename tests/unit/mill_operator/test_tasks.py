"""The status of all tasks: which runs, in what order, how many."""

from dataclasses import replace
from datetime import timedelta

from pydantic_core import to_json

from mill_api.status import MillDeploymentStatus
from mill_api.task_status import RunState, TaskRun, TaskStatus
from mill_operator.core import limits
from mill_operator.core.observed.children import project_child
from mill_operator.core.observed.jobs import ObservedJob
from mill_operator.core.tasks.status import TOLD_CHARACTERS, Observed, observe, outliving
from mill_operator.core.verdicts.rule_input import Problem
from tests.support.recordings import CREATED
from tests.support.rollouts import World, failed, healthy, starting
from tests.support.runs import at, ended, job, of, pod


def complete(task: str, name: str, seconds: float, *, created: float = 0) -> ObservedJob:
    return of(task, name, ("Complete", "", seconds), created=created)


def see(
    *jobs: ObservedJob, previous: list[TaskStatus] | None = None, seconds: float = 1000.0, **problems: Problem
) -> Observed:
    return observe(jobs, (), previous or [], problems=problems, now=CREATED + timedelta(seconds=seconds))


def characters(part: MillDeploymentStatus | list[TaskStatus]) -> int:
    """Its size as JSON."""
    return len(to_json(part, by_alias=True, exclude_none=True))


def names(seen: Observed) -> dict[str, list[str]]:
    return {task.name: [run.name for run in task.runs] for task in seen.tasks}


def test_without_runs_there_is_no_task_status():
    assert see() == Observed(tasks=[], active=0, wake_at=None)


def test_tasks_are_sorted_by_name_and_runs_newest_first():
    seen = see(of("b", "b-1"), of("a", "a-1", created=1), of("a", "a-2", created=2), complete("a", "a-0", 50))
    assert names(seen) == {"a": ["a-2", "a-1", "a-0"], "b": ["b-1"]}
    assert seen.active == 3


def test_a_pod_is_its_job_s_alone():
    other = of("web", "web-2")
    seen = observe([job(), other], [pod("tag-missing")], [], problems={}, now=CREATED)
    assert {run.name: run.state for task in seen.tasks for run in task.runs} == {
        "web-1": RunState.FAILED,
        "web-2": RunState.PENDING,
    }


def test_a_pod_of_an_older_job_of_the_name_is_not_the_runs():
    again = replace(job(), created=CREATED + timedelta(seconds=60))
    old = ended(143, terminating=True)
    seen = observe([again], [old], [], problems={}, now=CREATED + timedelta(seconds=61))
    assert [run.state for task in seen.tasks for run in task.runs] == [RunState.PENDING]
    new = pod("ready-without-port", created=CREATED + timedelta(seconds=60))
    for pods in ([new, old], [old, new]):
        seen = observe([again], pods, seen.tasks, problems={}, now=CREATED + timedelta(seconds=62))
        assert [run.state for task in seen.tasks for run in task.runs] == [RunState.RUNNING]


def test_an_ended_run_is_not_active_before_its_job_has_ended():
    seen = observe([job(), of("web", "web-2")], [ended(3)], [], problems={}, now=CREATED)
    assert seen.active == 1


def test_the_last_five_active_and_the_last_five_ended_runs_are_reported():
    active = [of("a", f"active-{number}", created=number) for number in range(8)]
    over = [complete("a", f"ended-{number}", 100 + number) for number in range(8)]
    seen = see(*over, *active)
    assert set(names(seen)["a"]) == {f"{kind}-{number}" for kind in ("active", "ended") for number in range(3, 8)}
    assert seen.active == 8


def test_the_last_ended_runs_are_reported_however_long_ago_they_started():
    over = [complete("a", f"quick-{number}", 100 + number, created=50 + number) for number in range(5)]
    assert "slow" in names(see(*over, complete("a", "slow", 200)))["a"]


def test_of_very_many_tasks_the_newest_runs_within_the_limit_are_reported():
    jobs = [complete(f"t{task:03}", f"t{task:03}-{run}", 100 * run + task) for task in range(200) for run in range(3)]
    seen = see(*jobs)
    told = names(seen)
    assert len(told) > 100
    assert min(told) == f"t{200 - len(told):03}"  # those that ended last
    assert all(runs == [f"{task}-2"] for task, runs in told.items())
    assert TOLD_CHARACTERS - 500 < characters(seen.tasks) <= TOLD_CHARACTERS


def test_the_status_stays_within_its_bounds_with_as_many_services_and_tasks_as_there_can_be():
    bad = ("Failed", "DeadlineExceeded", 100.0)
    tasks = see(*(of(f"a-task-of-some-name-{task}", f"a-task-{task}-1a2b3c4d", bad) for task in range(200))).tasks
    world = World()
    for node in range(limits.SCHEDULED_TRANSITIONS):
        world.look(*(starting(f"service-{each}", node=f"node-{node}.example.com", desired=10) for each in range(200)))
    world.look(*(healthy(f"service-{each}", desired=10) for each in range(200)))
    assert characters(world.status.model_copy(update={"tasks": tasks})) <= 256 * 1024
    world.deploy()
    world.look(*(failed(f"service-{each}", desired=10, evidence="x" * limits.EVIDENCE_LENGTH) for each in range(200)))
    assert characters(world.status.model_copy(update={"tasks": tasks})) <= 320 * 1024


def test_a_run_keeps_its_reported_state():
    first = see(of("a", "a-1", ("Failed", "BackoffLimitExceeded", 5)), seconds=10)
    assert first.wake_at == CREATED + timedelta(seconds=12)
    (task,) = see(of("a", "a-1", ("Failed", "BackoffLimitExceeded", 5)), previous=first.tasks, seconds=12).tasks
    assert task.runs[0].state is RunState.FAILED


def test_a_run_without_a_job_is_reported_for_a_while_and_requeued_at_the_end():
    running = [TaskStatus(name="a", runs=[TaskRun(name="a-1", state=RunState.RUNNING, created_at=at(0))])]
    seen = see(previous=running)
    assert [run.state for run in seen.tasks[0].runs] == [RunState.STOPPED]
    assert (seen.active, seen.wake_at) == (0, CREATED + timedelta(seconds=1000, days=1))
    assert see(previous=seen.tasks, seconds=1000 + 24 * 3600) == Observed(tasks=[], active=0, wake_at=None)


def test_a_task_that_cannot_start_has_the_message_of_its_rule():
    seen = see(of("a", "a-1"), a=Problem("taken", "belongs to Helm"), b=Problem("refused", "too long"))
    assert [(task.name, task.reason, task.message, len(task.runs)) for task in seen.tasks] == [
        ("a", "NameTaken", "belongs to Helm", 1),
        ("b", "Refused", "refused by the cluster: too long", 0),
    ]


def test_active_runs_and_the_newest_ended_ones_outlive_their_task():
    meta = {"namespace": "shop", "name": "web", "uid": "cron-uid", "resourceVersion": "1", "generation": 2}
    meta["creationTimestamp"] = "2026-01-31T12:00:00Z"
    cron_job = project_child("CronJob", {"metadata": meta})
    running = of("web", "web-1")
    adopted = replace(running, owners=frozenset({"cron-uid", "mill-uid"}))
    of_another = replace(running, owners=frozenset({"other-uid"}))
    ended = [replace(complete("web", f"web-{number}", number), owners=running.owners) for number in range(2, 9)]
    assert outliving([running, adopted, of_another, *ended], [cron_job]) == [running, *reversed(ended[2:])]
    assert outliving([running], []) == []
    assert outliving([running], [replace(cron_job, kind="Service")]) == []
