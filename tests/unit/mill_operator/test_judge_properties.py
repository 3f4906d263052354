"""Properties of verdicts for any mixture of pods, lookup results and earlier statuses."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mill_api.service_status import Phase, Replicas, ServiceStatus, State, Transition
from mill_operator.core import timestamps
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.events import ObservedEvent
from mill_operator.core.observed.lookup_results import NO_RESULTS, LookupResults
from mill_operator.core.observed.nodes import ObservedNode
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.dependence import Dependence, Root
from mill_operator.core.verdicts.judge import judge
from mill_operator.core.verdicts.observation import JudgeInput, Observation
from mill_operator.core.verdicts.rules import TABLE
from tests.support.recordings import CREATED, PODS, UID, WEB, claim, deployed, pod, remembered

from . import event_texts

RECORDED = {file.stem: pod(file.stem) for file in sorted(PODS.glob("*.json"))}
PATIENT = settings(deadline=None)  # a loaded machine is no counterexample
READINESS = ["True", "False", "Unknown"]
READY = [RECORDED["ready"], RECORDED["ready-without-port"]]
EVENT_TEXTS = [ObservedEvent(*text) for text in vars(event_texts).values() if isinstance(text, tuple)]

moments = st.integers(0, 5000).map(lambda seconds: CREATED + timedelta(seconds=seconds))


@st.composite
def pods(draw: st.DrawFn) -> ObservedPod:
    """Return a recorded pod, older or younger, with times of a clock of its own."""
    recorded = draw(st.sampled_from(list(RECORDED.values())))
    age, told = timedelta(seconds=draw(st.integers(0, 4000))), draw(st.none() | moments)
    return replace(
        recorded, uid=draw(st.sampled_from([UID, "1", "2", "3"])), created=CREATED + age, status_updated_at=told
    )


@st.composite
def memories(draw: st.DrawFn) -> ServiceStatus | None:
    """Return a possible earlier status."""
    rule = draw(st.none() | st.sampled_from([*TABLE, None]))
    steps = draw(st.lists(st.tuples(moments, st.sampled_from(list(Phase))), max_size=4))
    return draw(st.none()) or ServiceStatus(
        name="web",
        state=draw(st.sampled_from(list(State))),
        image=draw(st.sampled_from([None, WEB.request.image, "registry.example/web:0"])),
        rule=rule.id if rule else None,
        since=timestamps.render(draw(moments)) if rule else None,
        replicas=Replicas(desired=2, updated=2, healthy=draw(st.integers(0, 2))),
        transitions=[Transition(seq=n, at=timestamps.render(at), phase=phase) for n, (at, phase) in enumerate(steps)],
    )


answers = st.builds(
    LookupResults,
    events=st.dictionaries(
        st.sampled_from([UID, "1", "data-uid"]), st.lists(st.sampled_from(EVENT_TEXTS), max_size=4).map(tuple)
    ),
    nodes=st.dictionaries(
        st.just("node-1"),
        st.builds(
            ObservedNode, st.just("linux/amd64"), st.sampled_from(["True", "False", "Unknown"]), st.none() | moments
        ),
    ),
)
claims = st.lists(
    st.builds(claim, st.sampled_from(["Pending", "Bound", "Lost"]), st.none() | st.just("fast")), max_size=2
)
refusals = st.sampled_from(["", "exceeded quota: small", 'pods "web-1" is forbidden: no'])


def look(
    seen: list[ObservedPod],
    now: datetime,
    *,
    replicas: int | None = 2,
    previous: ServiceStatus | None = None,
    known: LookupResults = NO_RESULTS,
    volumes: tuple[ObservedChild, ...] = (),
    refusal: str = "",
    requested_at: datetime | None = None,
) -> Observation:
    return judge(
        JudgeInput(
            replace(WEB, replicas=replicas),
            seen,
            volumes,
            deployment=None if replicas is None else deployed(replicas, refusal),
            previous=previous,
            results=known,
            requested_at=requested_at,
        ),
        now,
    )


@given(
    st.lists(pods(), max_size=4),
    moments,
    st.none() | st.integers(0, 3),
    memories(),
    answers,
    claims,
    refusals,
    st.none() | moments,
)
@PATIENT
def test_a_judgment_never_raises_and_is_bounded_and_complete(
    seen: list[ObservedPod],
    now: datetime,
    replicas: int | None,
    previous: ServiceStatus | None,
    known: LookupResults,
    volumes: list[ObservedChild],
    refusal: str,
    requested_at: datetime | None,
) -> None:
    observed = look(
        seen,
        now,
        replicas=replicas,
        previous=previous,
        known=known,
        volumes=tuple(volumes),
        refusal=refusal,
        requested_at=requested_at,
    )
    assert observed.wake_at is None or observed.wake_at > now
    if observed.state in (State.FAILED, State.SUSPECT):
        assert observed.finding is not None
    if (finding := observed.finding) is not None and previous is None:
        assert "{" not in finding.message + finding.suggestion
        assert finding.message
        assert len(finding.evidence.encode()) <= 2048


@given(st.lists(pods(), max_size=4), moments, memories(), answers, refusals, st.none() | moments)
@PATIENT
def test_a_service_whose_desired_pods_are_all_ready_never_fails(
    others: list[ObservedPod],
    now: datetime,
    previous: ServiceStatus | None,
    known: LookupResults,
    refusal: str,
    requested_at: datetime | None,
) -> None:
    ready = [replace(each, uid=f"ready-{n}") for n, each in enumerate(READY)]
    observed = look([*others, *ready], now, previous=previous, known=known, refusal=refusal, requested_at=requested_at)
    assert observed.state is State.HEALTHY


@given(st.lists(pods(), min_size=1, max_size=3), moments, answers, st.integers(0, 3000), refusals)
@PATIENT
def test_a_due_verdict_stays_due_with_its_evidence(
    seen: list[ObservedPod], now: datetime, known: LookupResults, later: int, refusal: str
) -> None:
    first = look(seen, now, known=known, refusal=refusal)
    again = look(seen, now + timedelta(seconds=later), previous=remembered(first), known=known, refusal=refusal)
    if first.state is State.FAILED:
        assert again.state is State.FAILED


@given(st.lists(pods(), min_size=1, max_size=3), moments, answers)
@PATIENT
def test_a_suspicion_fails_exactly_when_it_is_due(seen: list[ObservedPod], now: datetime, known: LookupResults) -> None:
    """A judgment at the due time finds a failure; one before it finds none."""
    first = look(seen, now, known=known)
    if first.state is State.SUSPECT and first.finding is not None and first.finding.due is not None:
        due = first.finding.due
        assert look(seen, due, previous=remembered(first), known=known).state is State.FAILED


@st.composite
def dependences(draw: st.DrawFn) -> Dependence:
    """Return what a service waits for, follows from, or has been served by."""
    root = Root("db", "tag not found", draw(moments), draw(moments))
    return draw(
        st.sampled_from(
            [
                Dependence(waiting_for=("db",)),
                Dependence(root=root),
                Dependence(waiting_for=("cache",), root=root),
                Dependence(served_since=draw(moments)),
            ]
        )
    )


@given(st.lists(pods(), max_size=4), moments, memories(), answers, refusals, st.none() | moments, dependences())
@PATIENT
def test_a_dependant_fails_only_where_it_would_fail_alone(
    seen: list[ObservedPod],
    now: datetime,
    previous: ServiceStatus | None,
    known: LookupResults,
    refusal: str,
    requested_at: datetime | None,
    dependence: Dependence,
) -> None:
    alone = JudgeInput(
        replace(WEB, replicas=2),
        seen,
        deployment=deployed(2, refusal),
        previous=previous,
        results=known,
        requested_at=requested_at,
    )
    by_itself, dependent = judge(alone, now), judge(replace(alone, dependence=dependence), now)
    if dependent.state is State.FAILED:
        assert by_itself.state is State.FAILED
    if dependence.root is not None and not dependence.waiting_for and dependence.root.since <= now:
        assert dependent.state is by_itself.state
    if by_itself.finding is not None and not by_itself.finding.rule.is_patient and not dependent.renewed:
        assert by_itself.state is not State.FAILED or dependent.state is State.FAILED
    if by_itself.wake_at is not None and not dependence.waiting_for and not dependent.renewed:
        assert dependent.wake_at is not None or dependent.finding != by_itself.finding
