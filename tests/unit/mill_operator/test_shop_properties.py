"""Whatever becomes of services that depend on each other: a rollout ends, by time alone if nothing else happens."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mill_operator.core.observed.pods import ObservedPod
from tests.support.recordings import at, pod, waiting
from tests.support.shops import Shop, crashed, unready

NAMES = ("db", "api", "web")
EDGES = (
    {"refers_to": {"web": ("api",), "api": ("db",)}},
    {"refers_to": {"web": ("api", "db")}},
    {"after": {"web": ("api",), "api": ("db",)}},
    {"after": {"api": ("db",)}, "refers_to": {"web": ("api",)}},
    {"after": {"web": ("db",)}, "refers_to": {"web": ("api",)}},
)
LONGEST = 3 * 3600.0


def made(kind: str, now: float) -> ObservedPod | None:
    """Return a pod of a service, as it is at this moment."""
    match kind:
        case "ready":
            return pod("ready", ready_at=at(now), status_updated_at=at(now))
        case "pulling":
            return replace(pod("pulling"), sandbox_ready=True, bound_at=at(now))
        case "crashed once" | "crashed twice":
            return crashed(1 + (kind == "crashed twice"), at_second=now)
        case "unready":
            return unready(now)
        case "no image":
            return waiting("ErrImagePull", "failed to resolve reference: x:1: not found")
        case _:
            return None


KINDS = ["ready", "ready", "pulling", "crashed once", "crashed twice", "unready", "no image", "gone"]
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), st.floats(0.5, 40), st.booleans()), max_size=10
)


@settings(max_examples=40, deadline=None)
@given(edges=st.sampled_from(EDGES), steps=STEPS, settle=st.sampled_from([0, 10]), again=st.integers(0, 9))
def test_every_rollout_ends(edges: dict[str, dict[str, tuple[str, ...]]], steps: list, settle: int, again: int) -> None:  # type: ignore[type-arg]
    shop, now = Shop(*NAMES, settle=settle, **edges), 0.0
    for number, (name, kind, after, is_old) in enumerate(steps):
        now += after
        if number == again:
            shop.deploy(**{each: f"{each}:2" for each in NAMES})
        if (found := made(kind, now)) is None:
            shop.pods.pop(name, None)
        elif name in shop.written:
            shop.set(name, found, created=now - 2, image=f"{name}:0" if is_old else None)
        shop.look(now)
    shop.look(now)
    end = now + LONGEST
    while shop.status.rollout is not None and shop.status.rollout.finished_at is None:
        assert shop.wake_at is not None, shop.status
        assert now < end, shop.status
        now = max(shop.wake_at, now + 0.001)
        shop.look(now)
    assert shop.status.rollout is not None
    assert shop.status.rollout.success is not None
