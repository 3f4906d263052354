"""What holds of events and conditions for all sequences of observations."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mill_api.events import Event
from mill_api.service_status import State
from mill_api.status import HISTORY_KEPT
from mill_operator.core.verdicts.observation import Observation
from tests.support.rollouts import LOST, World, pending, see

STATES = st.sampled_from([
    State.PENDING, State.PULLING, State.STARTING, State.SUSPECT, State.HEALTHY, State.FAILED,
])  # fmt: skip


@st.composite
def _observation(draw, service: str) -> Observation:
    state = draw(STATES)
    codes = ["TagNotFound", "PullDenied", "ContainerExited", "Unschedulable"]
    code = draw(st.sampled_from(codes)) if state in (State.SUSPECT, State.FAILED) else None
    node = draw(st.sampled_from(["node-1", "node-2"]))
    return see(service, state, code=code, node=node, message=f"it is {code}", template=draw(st.sampled_from("ab")))


LOOK = st.tuples(
    _observation("web"),
    st.none() | _observation("api"),
    st.sampled_from([0.0, 0.1, 700.0]),
    st.booleans(),
    st.sampled_from(["", "", "", "deploy", "request", "refuse"]),
)


@settings(deadline=None)
@given(st.lists(LOOK, max_size=12))
def test_the_promises_hold_for_all_observations(looks):
    """`done` comes at most once and last; sent events never change; kstatus' rules hold in every state."""
    world = World()
    sent: dict[str, list[Event]] = {}
    services: dict[str, bool] = {"1": True}
    for number, (web, api, after, still_there, action) in enumerate(looks):
        if action and number:
            world.deploy(request=f"r{number:02}" if action == "request" else "")
        with_api = services.setdefault(world.rollout, api is not None)
        if action == "refuse" and number:
            world.refuse_rollout("no")
        elif world.status.rollout is None or world.status.rollout.refused is None or world.rollout not in sent:
            seen = (web, api or pending("api")) if with_api else (web,)
            world.look(*seen, after=after, present={} if with_api or not still_there else {"api": LOST})
        now = world.events()
        before = sent.get(world.rollout, [])
        assert now[: len(before)] == before
        seqs = [each.seq for each in now]
        assert seqs == sorted(set(seqs))
        assert [each for each in now[:-1] if each.last] == []
        sent[world.rollout] = now
        read = world.kstatus
        if not now or not now[-1].last:
            assert read != "Current"
        for rollout, events in sent.items():
            if rollout != world.rollout:
                later = world.events(rollout)
                assert later[-1].last
                verdicts = [each for each in events if each.name != "progress"]
                if len(sent) <= HISTORY_KEPT:
                    assert [each for each in later if each in verdicts] == verdicts
