"""Whatever happens: nothing that a stream of a rollout has sent changes, and its end is final."""

from dataclasses import replace
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mill_api.events import Event
from mill_api.service_status import State
from mill_api.status import MillDeploymentStatus
from mill_operator.core.internal_errors import internal_error_of
from mill_operator.core.rollout.internal_error import internal_error_status
from mill_operator.core.verdicts.settling_pods import SettlingPods
from tests.support.rollouts import World, failed, healthy, pending, see, starting, suspect

SERVICES = ("web", "db")
BROKEN = SettlingPods(all_ready=False, is_broken=True, is_steady=False)
RESTARTED = SettlingPods(all_ready=True, crashes=1, is_broken=True)
TAKEN = SettlingPods(all_ready=False, is_steady=False)
REPLACED = SettlingPods(all_ready=False)
LOOKS = {
    "removed": pending,  # unless another generation is deployed
    "pending": pending,
    "starting": starting,
    "healthy": healthy,
    "unavailable": lambda web, **more: healthy(web, settling=SettlingPods(all_ready=True, is_steady=False), **more),
    "restarted": lambda web, **more: healthy(web, settling=RESTARTED, **more),
    "crashed": lambda web, **more: suspect(web, "ContainerExited", settling=BROKEN, **more),
    "unready": lambda web, **more: starting(web, settling=BROKEN, **more),
    "taken": lambda web, **more: see(web, State.PENDING, settling=TAKEN, **more),
    "replaced": lambda web, **more: see(web, State.PULLING, settling=REPLACED, **more),
    "failed": lambda web, **more: failed(web, "ContainerExited", **more),
    "not found": lambda web, **more: failed(web, "TagNotFound", **more),
    "no replicas": lambda web, **more: healthy(web, desired=0, **more),
    "internal error": lambda web, **more: replace(
        failed(web, "InternalError", **more), internal_error=internal_error_of(ValueError("no"))
    ),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*LOOKS]),
        st.sampled_from([*LOOKS]),
        st.sampled_from([0.1, 3.0, 6.0, 11.0, 700.0]),
        st.sampled_from(["", "", "", "", "", "", "deploy", "request", "upgrade", "error"]),
    ),
    max_size=14,
)


def as_an_earlier_release(status: MillDeploymentStatus) -> MillDeploymentStatus:
    """Return a status without what knows of windows, unless one has ended already."""
    rollout = status.rollout
    if rollout is None or any(service.settlement is not None for service in status.services):
        return status
    last = max((step.seq for service in status.services for step in service.transitions), default=0)
    if rollout.last_seq is not None and rollout.last_seq < last:
        return status
    unknown = dict.fromkeys(("settle", "settling_since", "settling_crashes", "settled_at", "failed_at"))
    services = [each.model_copy(update=unknown) for each in status.services]
    return status.model_copy(update={"services": services, "rollout": rollout.model_copy(update={"last_seq": None})})


def ended_by_error(world: World) -> MillDeploymentStatus:
    error = internal_error_of(ValueError("no"))
    return internal_error_status(
        world.status, error, generation=world.generation, rollout_id=world.rollout, end=True, now=world.now
    )


def end(events: list[Event]) -> bool | None:
    """Return the success of a stream that has ended."""
    assert not any(event.last for event in events[:-1])
    return bool(events[-1].data["success"]) if events and events[-1].last else None


def sent_as(events: list[Event]) -> list[tuple[str, str, object]]:
    """Return what must not change. A failure has the suggestion and evidence that are known now."""
    details = {"suggestion", "evidence"}
    return [
        (each.id, each.name, {key: value for key, value in each.data.items() if key not in details}) for each in events
    ]


class Listener:
    """Follows every stream of every rollout, and finds what has changed of what was sent."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, bool, str | None], list[Event]] = {}

    def read(self, world: World) -> None:
        current = world.status.rollout
        assert current is not None
        for rollout in (current.id, *(past.id for past in world.status.history)):
            for full, only in product((False, True), (None, *SERVICES)):
                events = world.events(rollout, full=full, only=only)
                self._compare((rollout, full, only), events, is_current=rollout == current.id)

    def _compare(self, stream: tuple[str, bool, str | None], events: list[Event], *, is_current: bool) -> None:
        before = self.sent.get(stream, [])
        self.sent[stream] = events
        if is_current:
            assert sent_as(events[: len(before)]) == sent_as(before), stream
            assert end(before) is None or len(events) == len(before), stream
        else:
            assert end(events) is not None, stream
            assert end(before) in (None, end(events)), stream
            assert end(events) is False or end(before) is True or stream[2] is not None or not before, stream


FAILED_AFTER_AN_INTERNAL_ERROR = [
    ("failed", "healthy", 0.1, ""),
    ("pending", "internal error", 0.1, ""),
    ("pending", "failed", 0.1, ""),
    ("removed", "removed", 0.1, "deploy"),
]
"""The second service fails in its window, which its rollout has not waited for."""


@settings(max_examples=60, deadline=None)
@example(steps=FAILED_AFTER_AN_INTERNAL_ERROR, settle=10.0)
@given(steps=STEPS, settle=st.sampled_from([0.0, 10.0]))
def test_what_was_sent_stays(steps: list[tuple[str, str, float, str]], settle: float) -> None:
    world, listener, removed = World(), Listener(), set[str]()
    for number, (*looks, after, act) in enumerate(steps):
        match act:
            case "deploy":
                world.deploy()
            case "request":
                world.deploy(f"r{number}")
            case "upgrade":
                world.store(as_an_earlier_release(world.status))
            case "error":
                world.store(ended_by_error(world))
        if act == "deploy":
            removed = {name for name, look in zip(SERVICES, looks, strict=True) if look == "removed"}
        seen = [
            LOOKS[look](name, template=f"template-{world.generation}", settle=settle)
            for name, look in zip(SERVICES, looks, strict=True)
            if name not in removed
        ]
        world.look(*seen, after=after)
        listener.read(world)
