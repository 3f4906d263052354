"""What the world reports, and what should be said of it: texts and sequences of public bug reports."""

from typing import Any, Final

import pytest

from mill_api.service_status import State
from mill_operator.core.verdicts.observation import Observation
from tests.support.outside_cases import observe, observe_each_second, read
from tests.support.recordings import offset

TEXTS: Final = read("texts")
SEQUENCES: Final = read("sequences")
ANSWERS: Final = read("pull_answers")


@pytest.mark.parametrize("case", TEXTS, ids=[each["id"] for each in TEXTS])
def test_a_text_gets_its_cause(case: dict[str, Any]) -> None:
    observation = observe(case)
    finding = observation.finding
    assert finding is not None
    assert (finding.rule.code, finding.rule.speed.value) == (case["code"], case["speed"])
    said = f"{finding.message}\n{finding.evidence}\n{finding.suggestion}"
    for expected in case["expected_words"]:
        assert _has_any(said, _meant(expected, case)), said
    for forbidden in case["forbidden"]:
        _assert_not(forbidden, observation)


def _has_any(text: str, words: str) -> bool:
    return any(word.lower() in text.lower() for word in words.split("|"))


def _meant(expected: str, case: dict[str, Any]) -> str:
    """Return what must be said; some cases describe it."""
    described: dict[str, str] = {
        "kubelet's message": case["text"].removeprefix("Pod "),
        "event's message": case["text"].rpartition("message:")[2],
        "cause of the specific event": "timed out waiting for the condition",
    }
    return described.get(expected, expected)


def _assert_not(forbidden: str, observation: Observation) -> None:
    finding = observation.finding
    assert finding is not None
    if forbidden == "more than 200 characters":
        assert len(finding.message) <= 230  # with what Mill says itself
    elif forbidden == "line breaks":
        assert "\n" not in finding.message
    elif forbidden.startswith("Failed within "):
        due = offset(finding.due)
        assert due is None or due - 3 > float(forbidden.split()[2])
    else:
        for text in (finding.rule.code, finding.message, finding.suggestion):
            assert forbidden.lower() not in text.lower()
        if forbidden in ("X-Amz-", "sig="):
            assert forbidden not in finding.evidence


@pytest.mark.parametrize("case", SEQUENCES, ids=[each["id"] for each in SEQUENCES])
def test_a_sequence_fails_no_earlier_than_kubernetes_can_heal_it(case: dict[str, Any]) -> None:
    frames = [_detailed(frame) for frame in case["frames"]]
    until = max(frame["at"] for frame in frames) + 60
    states: list[tuple[int, State]] = []
    for second, observation in observe_each_second(frames, until):
        states.append((second, observation.state))
        for forbidden in case["forbidden"]:
            _assert_not_at(forbidden, second, observation)
    healed = "pod" in frames[-1]
    assert (states[-1][1] is State.HEALTHY) is healed
    assert {State.SUSPECT, State.FAILED} & {state for _, state in states}


def _assert_not_at(forbidden: str, second: int, observation: Observation) -> None:
    if forbidden.startswith("Failed before "):
        assert observation.state is not State.FAILED or second >= float(forbidden.split()[2])
    elif forbidden.startswith("Not failed after "):
        assert observation.state is State.FAILED or second < float(forbidden.split()[3])
    elif forbidden == "Suspect after 48 s":
        assert observation.state is State.FAILED or second < 48
    elif forbidden == "nothing says why":
        assert observation.finding is not None
    elif observation.finding is not None:
        for text in (observation.finding.rule.code, observation.finding.message):
            assert forbidden not in text


def _detailed(frame: dict[str, Any]) -> dict[str, Any]:
    """Return a frame with the whole of a text that its report shortens, and with its number of pods."""
    texts = {
        "… 403 Forbidden": REFUSED,
        "Back-off … 403 Forbidden": f'Back-off pulling image "registry.example/web:1": ErrImagePull: {REFUSED}',
    }
    text = frame.get("text", "")
    return {**frame, "text": texts.get(text, text), "pods": 20}


REFUSED: Final = (
    'failed to pull and unpack image "registry.example/web:1": failed to resolve reference "registry.example/web:1": '
    "pulling from host registry.example failed with status code [manifests 1]: 403 Forbidden"
)


@pytest.mark.parametrize("case", ANSWERS, ids=[f"{each['situation']}: {each['runtimes'][0]}" for each in ANSWERS])
@pytest.mark.parametrize("form", ["status", "back-off"])
def test_an_answer_of_containerd_gets_its_cause(case: dict[str, Any], form: str) -> None:
    text = case["text"] if case["grpc"] == "Unknown" else f"rpc error: code = {case['grpc']} desc = {case['text']}"
    reason = "ErrImagePull"
    if form == "back-off":
        reason, text = "ImagePullBackOff", f'Back-off pulling image "{case["image"]}": ErrImagePull: {text}'
    given = {"where": "waiting.message", "kubernetes_reason": reason, "text": text, "image": case["image"]}
    finding = observe(given).finding
    assert finding is not None
    assert finding.rule.code in case["code"].split("|")
    assert case["speed"] in (None, finding.rule.speed.value)
