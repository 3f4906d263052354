"""The process `mill-operator judge`: files in, what would be said of their objects out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
RECORDINGS: Final = ROOT / "tests" / "unit" / "mill_operator" / "recordings"
DENIED: Final = RECORDINGS / "denied-elsewhere.yaml"
OPERATOR: Final = Path(sys.executable).with_name("mill-operator")
PAGE: Final = ROOT / "docs" / "report-a-verdict.md"
SECRET: Final = "hunter2"


def judge(*arguments: str | Path, stdin: str | bytes = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    given = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [OPERATOR, "judge", *map(str, arguments)],
        input=given,
        capture_output=True,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "100"},
        timeout=100,
        check=False,
    )
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in stderr
    assert SECRET not in stdout + stderr
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def test_frames_are_judged_in_their_order_and_between_them() -> None:
    done = judge(DENIED)
    assert done.returncode == 0
    rows = [re.split(r" {2,}", line) for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [row[1:4] for row in rows] == [
        ["AFTER", "SERVICE", "STATE"],
        ["+0s", "blog/front", "Pulling"],
        ["+4s", "blog/front", "Suspect"],
        ["+34s", "blog/front", "Failed"],
    ]
    assert done.stderr == "note: not of a MillDeployment, judged as one service for each controller: front\n"


def test_json_has_everything() -> None:
    shown = json.loads(judge("--json", DENIED).stdout)
    assert shown.keys() == {"verdicts", "notes"}
    _, suspect, failed = shown["verdicts"]
    assert suspect.keys() == {
        "time", "after", "namespace", "service", "state", "code", "rule", "message", "detail", "evidence",
        "suggestion", "speed", "due",
    }  # fmt: skip
    assert (suspect["time"], suspect["due"]) == ("2026-01-31T12:00:04Z", failed["time"])
    assert (failed["code"], failed["speed"], failed["after"]) == ("PullDenied", "likely", 34.0)
    assert "no basic auth credentials" in failed["evidence"]


def test_standard_input_a_folder_and_several_files_are_read(tmp_path: Path) -> None:
    expected = judge(DENIED).stdout
    assert judge("-", stdin=DENIED.read_text()).stdout == expected
    (tmp_path / "a.yaml").write_text(DENIED.read_text())
    (tmp_path / "notes.txt").write_text("not read")
    assert judge(tmp_path).stdout == expected
    node = {"kind": "Node", "metadata": {"name": "node-1"}}
    (tmp_path / "nodes.json").write_text(json.dumps(node))
    assert judge(tmp_path / "nodes.json", DENIED).stdout == expected


@pytest.mark.parametrize("recording", sorted(RECORDINGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_stripped_recording_says_the_same(recording: Path) -> None:
    stripped = judge("--strip", recording)
    assert (stripped.returncode, stripped.stderr) == (0, "")
    assert judge("-", stdin=stripped.stdout).stdout == judge(recording).stdout
    assert judge("--strip", "-", stdin=stripped.stdout).stdout == stripped.stdout


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "nothing to judge in standard input"),
        (b"hello", "nothing to judge in standard input"),
        (b"a: [", "standard input:2:1: neither YAML nor JSON: did not find expected node content"),
        (b"\x00\x01\xff", "standard input: not UTF-8 (byte 2): save it as UTF-8"),
        (b"a: &a [x]\nb: *a\n", "standard input:2:4: aliases (*name) are not read: write the value again"),
        (b"[" * 10_000, "standard input: more than 64 nested lists and maps"),
        (b"[" + b"{}," * 1_100_000, "standard input: more than 2,000,000 values: record fewer objects at once"),
        (b'{"kind": "Secret", "data": {"a": "hunter2"}}', "nothing to judge in standard input (only 1 Secret)"),
        (b'{"kind": "Pod", "metadata": {"name": "a"}}', "the objects contain no time: give one by --at"),
        (b"at: soon\nobjects: []\n", "standard input: at: expected a time, or seconds after the first creation"),
    ],
    ids=["empty", "text", "syntax", "binary", "alias", "deep", "many", "secret", "no-time", "bad-time"],
)
def test_what_cannot_be_judged_is_an_error_in_one_line(content: bytes, error: str) -> None:
    done = judge("-", stdin=content)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("error: ")]
    assert line.startswith(f"error: {error}")


def test_pods_that_are_no_services_are_counted() -> None:
    owners = [{"kind": "Job", "name": "once", "controller": True}]
    metadata = {**pod()["metadata"], "labels": {}, "ownerReferences": owners}
    done = judge("-", stdin=json.dumps({**pod(), "metadata": metadata}))
    assert done.returncode == 2
    note, error = done.stderr.splitlines()
    assert note == "note: left out 1 pod of tasks and Jobs"
    assert error.startswith("error: no pods and no Deployments: ")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "missing.yaml", "No such file or directory"), (tmp_path, "no .yaml, .yml or .json")):
        done = judge(path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {path}: ")
        assert why in done.stderr
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    done = judge(tmp_path / "huge.json")
    assert done.stderr == f"error: {tmp_path}/huge.json: more than 64 MiB: record fewer objects at once\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "the following arguments are required: FILE"),
        (("--at", "noon", "-"), "argument --at: expected a time such as 2026-01-31T12:00:00Z"),
        (("--until", "400d", "-"), "argument --until: expected a duration of at most 7 days, such as 90s or 15m"),
        (("--json", "--strip", "-"), "argument --strip: not allowed with argument --json"),
    ],
)
def test_wrong_arguments_are_explained(arguments: tuple[str, ...], error: str) -> None:
    done = judge(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"mill-operator judge: error: {error}"


def pod() -> dict[str, Any]:
    recorded = json.loads((ROOT / "tests/support/recorded_pods/secret-missing.json").read_text())
    return {"kind": "Pod", **recorded}


def test_a_mill_file_gives_the_spec(tmp_path: Path) -> None:
    (tmp_path / "pod.json").write_text(json.dumps(pod()))
    mill = tmp_path / "shop.mill"
    mill.write_text('service "web" {\n  image = "registry.example/web:1"\n  env { A = "${secret(db.url)}" }\n}\n')
    (first, *_) = json.loads(judge("--json", "--spec", mill, tmp_path / "pod.json").stdout)["verdicts"]
    assert (first["message"], first["code"]) == ('secret "db.url" not found', "SecretNotFound")
    both = judge("--json", "--spec", mill, tmp_path / "pod.json", DENIED)
    assert {each["code"] for each in json.loads(both.stdout)["verdicts"]} >= {"SecretNotFound", "PullDenied"}
    alone = judge("--spec", mill, DENIED)
    assert alone.stderr == "error: --spec: expected objects of one MillDeployment, got 0: none\n"
    mill.write_text('service "web" {\n}\n')
    done = judge("--spec", mill, tmp_path / "pod.json")
    assert done.returncode == 2
    assert f"{mill}:1:1: " in done.stderr


def test_a_time_and_an_end_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "pod.json").write_text(json.dumps(pod()))
    done = judge("--at", "2026-01-31T12:01:00Z", "--until", "5s", tmp_path / "pod.json")
    assert [line.split()[:4] for line in done.stdout.splitlines()[1:2]] == [
        ["2026-01-31T12:01:00Z", "+0s", "shop/web", "Suspect"]
    ]
    assert done.stderr == "note: shop/web has no verdict: Suspect until the end\n"


def test_a_recorded_status_that_says_something_else_is_noted(tmp_path: Path) -> None:
    identity = {"name": "mill", "namespace": "shop", "uid": "u", "generation": 1}
    mill = {
        "kind": "MillDeployment",
        "metadata": {**identity, "creationTimestamp": "2026-01-31T12:00:00Z"},
        "spec": {"services": [{"name": "web", "image": "registry.example/web:1"}]},
        "status": {"services": [{"name": "web", "state": "Failed", "reason": "Timeout", "template": "aaaaaaaaaa"}]},
    }
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": [mill, pod(), {"kind": "Service"}]}))
    done = judge(tmp_path / "all.json")
    assert done.stderr == ("note: left out 1 Service\nnote: shop/web: the recorded status says Failed (Timeout)\n")
    mill["status"] = {"services": [{"name": "web", "state": "Failed", "reason": "SecretNotFound"}]}
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "items": [mill, pod()]}))
    assert judge(tmp_path / "all.json").stderr == ""


def test_no_value_of_an_environment_is_printed() -> None:
    assert SECRET in DENIED.read_text()  # the check is in `judge`
    for option in ("--json", "--strip"):
        assert judge(option, DENIED).returncode == 0


def test_the_output_of_a_closed_pipe_is_no_error() -> None:
    command = f"{OPERATOR} judge --json {DENIED} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_operator_still_starts_without_a_command() -> None:
    for arguments in (["--workers", "none"], ["run", "--workers", "none"]):
        done = subprocess.run([OPERATOR, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr.splitlines()[0][:24]) == (2, "error: --workers=none: m")


def test_judging_imports_no_framework() -> None:
    code = "import sys; from mill_operator.recordings import command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"kopf", "kubernetes", "asyncio"}.isdisjoint(done.stdout.split())


def test_the_page_shows_what_is_printed() -> None:
    blocks = re.findall(r"```console\n\$ mill-operator judge (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert blocks
    for file, shown in blocks:
        done = judge(file)
        assert done.stdout + done.stderr == shown
