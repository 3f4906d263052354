"""The same failure gets the same reason from the texts of every container runtime."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mill_operator.core.observed.pods import ObservedPod, project_pod
from tests.support.recordings import WEB, body, look, replace, waiting

TEXTS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "runtime_texts.yaml").read_text())


@pytest.mark.parametrize("each", TEXTS, ids=[f"{each['runtime']}: {each['text'][-60:]}" for each in TEXTS])
def test_the_reason_of_a_text(each: dict[str, Any]) -> None:
    image = each.get("image", WEB.request.image)
    wanted = replace(WEB, request=replace(WEB.request, image=image))
    finding = look(
        _ended(each) if "ended" in each else waiting(each["reason"], each["text"], image), wanted=wanted
    ).finding
    assert (finding.rule.id if finding else None) == each["rule"]
    if "message" in each:
        assert finding is not None
        assert finding.message == each["message"]


def test_back_off_repeats_the_cause_since_kubernetes_1_32() -> None:
    for each in (each for each in TEXTS if each.get("reason") == "ErrImagePull"):
        image = each.get("image", WEB.request.image)
        wanted = replace(WEB, request=replace(WEB.request, image=image))
        text = f'Back-off pulling image "{image}": ErrImagePull: {each["text"]}'
        finding = look(waiting("ImagePullBackOff", text, image), wanted=wanted).finding
        assert finding is not None
        assert finding.rule.id == each["rule"], text


@pytest.mark.parametrize("runtime", ["CRI-O", "cri-dockerd"])
def test_every_other_runtime_has_the_commonest_failures(runtime: str) -> None:
    """Those of containerd are recorded as whole pods."""
    shown = {each["rule"] for each in TEXTS if each["runtime"].startswith(runtime)}
    assert shown >= {"image-missing", "image-denied", "image-platform", "image-registry", "start-command"}


def _ended(each: dict[str, Any]) -> ObservedPod:
    recorded = body("crashed-once")
    ended = {"startedAt": "2026-01-31T12:00:01Z", "finishedAt": "2026-01-31T12:00:01Z", **each["ended"]}
    state = {"terminated": {**ended, "message": each["text"]}}
    recorded["status"]["containerStatuses"][0] |= {"state": state, "lastState": {}}
    return project_pod(recorded)
