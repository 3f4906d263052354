"""Whether a container's image is on its node."""

from typing import Any

import pytest

from mill_objects.kubelet import CREATING, PULL_PROBLEMS, START_PROBLEMS, has_image


@pytest.mark.parametrize(
    "status",
    [
        {"state": {"running": {}}},
        {"state": {"terminated": {"exitCode": 1}}},
        {"state": {"waiting": {"reason": "ImagePullBackOff"}}, "lastState": {"terminated": {}}},
        {"state": {"waiting": {"reason": "ContainerCreating"}}, "imageID": "docker.io/web@sha256:1"},
        *({"state": {"waiting": {"reason": reason}}} for reason in sorted(START_PROBLEMS)),
    ],
)
def test_an_image_is_present_once_its_container_has_passed_the_pull(status: dict[str, Any]) -> None:
    assert has_image(status)


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"state": None, "lastState": 5, "imageID": ""},
        {"state": {"running": None, "waiting": {}}},
        *({"state": {"waiting": {"reason": reason}}} for reason in sorted(CREATING | PULL_PROBLEMS)),
    ],
)
def test_an_image_is_not_known_to_be_present_before_its_pull(status: dict[str, Any]) -> None:
    assert not has_image(status)


def test_each_reason_is_of_one_kind() -> None:
    assert not CREATING & PULL_PROBLEMS
    assert not START_PROBLEMS & (CREATING | PULL_PROBLEMS)
