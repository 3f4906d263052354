"""Output of `mill explain`. The texts come from failure_codes.json, as in the wheel."""

import json
import sys

import pytest

from mill_cli.errors import CliError, Exit
from mill_cli.explain import explain

IMAGE_NAME = """\
InvalidImageName

  image pull failed: no registry in the image's name
    observed    the node does not know which registry is meant
    fails       at once (permanent)
    what to do  Write the full name of the image, registry first:
                docker.io/library/nginx:1.
    takes back  the version, of a service with a volume
    rule        image-short-name

  image pull failed: invalid image name
    observed    `InvalidImageName`: the kubelet cannot read the image's name
    fails       at once (permanent)
    what to do  Correct the image's name.
    takes back  the version, of a service with a volume
    rule        image-name

  example, from the state of the pod's container
    InvalidImageName: Failed to apply default image tag "Not A Name": couldn't
    parse image name "Not A Name": invalid reference format: repository name
    (library/Not A Name) must be lowercase

  what Kubernetes does meanwhile
    Nothing: only a change of the object heals it.

  why Mill waits, or does not
    Mill does not wait: the name has to be corrected.
"""

NARROW = """\
QuotaExceeded

  quota exceeded: <cause>
    observed    the Deployment may
                create no more pods:
                `exceeded quota`; a pod
                that gets ready restarts
                the timer
    fails       after 60 s (needs time)
    what to do  Request less, or ask for
                a larger quota.
    takes back  no version
    rule        pods-quota

  example, from the condition ReplicaFailure of the Deployment
    FailedCreate: pods
    "web-649fb6c97-abcde" is forbidden:
    exceeded quota: small, requested:
    limits.memory=256M, used:
    limits.memory=0, limited:
    limits.memory=10M

  what Kubernetes does meanwhile
    The ReplicaSet controller tries
    again to create the pods. It doubles
    the delay with each failure, from 5
    ms up to 1000 s.

  why Mill waits, or does not
    Pods of an older version count until
    they have ended. A pod that becomes
    ready restarts the time.
"""

OVERVIEW = """\
The image

WrongPlatform           image pull failed: not built for <platform>
ImageIncomplete         image pull failed: incomplete in the registry
ImageFormatUnsupported  image pull failed: format not supported by the container
                        runtime of node <node>
"""


class Terminal:
    """A standard output that people look at."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("code", ["InvalidImageName", "invalidimagename", " INVALIDIMAGENAME "])
def test_a_code_with_all_of_its_causes(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(code, as_json=False) is Exit.SUCCESS
    assert capsys.readouterr().out == IMAGE_NAME


@pytest.mark.parametrize(("columns", "longest"), [("20", 40), ("40", 40), ("70", 70), ("100", 100), ("300", 100)])
def test_lines_are_as_long_as_the_terminal_is_wide(
    columns: str, longest: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    explain("HealthCheckTimeout", as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert longest - 15 < max(map(len, lines)) <= longest


def test_lines_have_at_least_forty_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    explain("QuotaExceeded", as_json=False)
    assert capsys.readouterr().out == NARROW


def test_without_a_code_all_of_them_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(None, as_json=False) is Exit.SUCCESS
    out = capsys.readouterr().out
    assert out.startswith(OVERVIEW)
    titles = [line for line in out.splitlines() if line and "  " not in line and "`" not in line]
    assert titles[:3] == ["The image", "The start", "The run"]
    assert "\n\nHealth\n\nHealthCheckTimeout " in out
    assert out.endswith("\n\n`mill explain CODE` shows the causes of a code, an example, and what to do.\n")


def test_the_code_is_bold_where_a_person_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    explain("InvalidImageName", as_json=False)
    assert terminal.text == IMAGE_NAME.replace("InvalidImageName", "\x1b[1mInvalidImageName\x1b[0m", 1)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.text = ""
    explain("InvalidImageName", as_json=False)
    assert terminal.text == IMAGE_NAME


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("TagNotFond", ["did you mean TagNotFound or SecretNotFound or CommandNotFound?"]),
        ("healthchecktimeouts", ["did you mean HealthCheckTimeout?"]),
        ("OOMKilled", ["Kubernetes reports OOMKilled for OutOfMemory"]),
        (
            "createcontainerconfigerror",
            ["Kubernetes reports CreateContainerConfigError for SecretNotFound, ImageUserRefused"],
        ),
        (
            "CrashLoopBackOff",
            [
                (
                    "Kubernetes reports CrashLoopBackOff for OutOfMemory, LivenessFailed, ProgramEnded, "
                    "SharedLibraryNotFound, ContainerExited, StorageLimitExceeded"
                )
            ],
        ),
        ("xyz", []),
        ("", []),
    ],
)
def test_an_unknown_code_suggests_similar_ones(code: str, advice: list[str]) -> None:
    with pytest.raises(CliError) as raised:
        explain(code, as_json=False)
    assert raised.value.code is Exit.FAILED
    assert str(raised.value) == f"unknown failure code '{code}'"
    assert list(raised.value.advice) == [*advice, "`mill explain` lists all codes"]


def test_for_programs_each_line_is_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("timeout", as_json=True) is Exit.SUCCESS
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert list(entry) == ["code", "subject", "place", "example", "kubernetes", "source", "why", "causes"]
    assert (entry["code"], entry["subject"], entry["example"]) == ("Timeout", "rollout", "no progress for 10m")
    assert {"causes": entry["causes"]} == {
        "causes": [
            {
                "message": "no progress for 10m",
                "seen": "no progress, and no known cause",
                "fails": "after 600 s (needs time)",
                "suggestion": "Find the cause: kubectl describe pods -l mill.dev/service=<service>",
                "takes_back": "no",
                "rule": "timeout",
            }
        ],
    }
    explain(None, as_json=True)
    codes = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len({each["code"] for each in codes}) == len(codes) > 30
    assert all(each["causes"] for each in codes)
