"""Containers that end: in which words, after how many ends, and whose fault it is."""

from dataclasses import replace

import pytest

from mill_api.service_status import State
from mill_operator.core.observed.containers import Termination
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.verdicts.findings import Finding
from tests.support.recordings import WEB, changed, look, node, pod, said, waiting

INIT = "runc create failed: unable to start container process: error during container init"
NO_LOG = "unable to retrieve OCI runtime error (open /run/x/log.json: no such file or directory)"
CREATE = "failed to create containerd container"


def _ended(code: int, message: str = "", reason: str = "Error", crashes: int = 2) -> ObservedPod:
    end = Termination(code, reason, message, None, None)
    return changed(pod("crashed-twice"), ended=end, last_ended=end, restarts=crashes - 1)


def _found(made: ObservedPod) -> Finding:
    finding = look(made).finding
    assert finding is not None
    return finding


class TestWords:
    @pytest.mark.parametrize(
        ("code", "name"),
        [(1, "1"), (134, "134 (SIGABRT)"), (139, "139 (SIGSEGV)"), (143, "143 (SIGTERM)"), (255, "255")],
    )
    def test_a_signal_has_its_name(self, code: int, name: str) -> None:
        assert _found(_ended(code)).message == f"container exited with code {name}"

    @pytest.mark.parametrize(
        ("message", "rule"),
        [
            ("exec /app: no such file or directory\n", "start-interpreter"),
            ('standard_init_linux.go:228: exec user process caused: exec format error\n', "start-format"),
            ('standard_init_linux.go:211: exec user process caused "permission denied"\n', "start-command"),
            ("exec /usr/bin/ping: operation not permitted\n", "start-failed"),
            (('{"msg":"exec container process (missing dynamic library?) `/app`: No such file or directory",'
             '"level":"error","time":"2024-01-01T00:00:00.000000Z"}'), "start-interpreter"),
            ("starting\nexec /app: no such file or directory\n", "crash"),
            ("sh: exec: line 1: app: not found\n", "crash"),
            ("open /etc/app.conf: permission denied\n", "crash"),
        ],
    )  # fmt: skip
    def test_only_the_runtimes_own_line_is_believed(self, message: str, rule: str) -> None:
        for code in (1, 126, 127, 128, 255):
            assert _found(_ended(code, message)).rule.id == rule

    @pytest.mark.parametrize(
        "message",
        [
            f'{NO_LOG}: exec: "runc": executable file not found in $PATH: unknown',
            f'{INIT}: error running hook #0: exec: "nvidia-hook": executable file not found in $PATH: unknown',
            f"{INIT}: open /proc/sys/net/core/somaxconn: no such file or directory: unknown",
            f'{CREATE}: get apparmor_parser version: exec: "apparmor_parser": executable file not found in $PATH',
        ],
    )
    def test_what_a_runtime_lacks_itself_is_no_command_of_the_service(self, message: str) -> None:
        for made in (_ended(128, message, "StartError"), waiting("RunContainerError", message)):
            finding = _found(made)
            assert (finding.rule.id, finding.is_own_fault) == ("start-failed", False)

    def test_nothing_listens_on_the_port(self) -> None:
        text = "Readiness probe failed: dial tcp 10.244.0.173:8080: connect: connection refused"
        seen = look(pod("unready"), at=31, answers=said(("Unhealthy", text), container="web"))
        assert seen.finding is not None
        assert seen.finding.message == "nothing listens on port 8080: health check timeout after 30s"
        assert seen.state is State.FAILED
        other = "Readiness probe failed: HTTP probe failed with statuscode: 503"
        seen = look(pod("unready"), at=31, answers=said(("Unhealthy", other), container="web"))
        assert seen.finding is not None
        assert seen.finding.message == "health check timeout after 30s"


class TestSidecars:
    def test_a_second_crash_is_a_suspicion_while_a_sidecar_is_not_ready(self) -> None:
        sidecar = pod("sidecar-unready").injected
        crashed = replace(_ended(1), injected=sidecar)
        seen = look(crashed, at=4)
        assert (seen.state, seen.finding and seen.finding.due) == (State.SUSPECT, None)
        third = replace(_ended(1, crashes=3), injected=sidecar)
        assert look(third, at=4).state is State.FAILED

    def test_a_sidecar_without_a_limit_gets_no_advice_about_the_service(self) -> None:
        killed = replace(pod("oom-twice").container, name="istio-proxy", memory="")
        seen = look(replace(pod("ready", ready=False), injected=(killed,)))
        assert seen.finding is not None
        assert seen.finding.message == "container istio-proxy: out of memory (limit none)"
        assert "`memory`" not in seen.finding.suggestion


class TestFaults:
    @pytest.mark.parametrize("recorded", ["tag-missing", "command-missing", "crashed-twice", "oom-twice", "platform"])
    def test_of_the_version(self, recorded: str) -> None:
        assert _found(pod(recorded)).is_own_fault

    @pytest.mark.parametrize(
        "recorded", ["registry-500", "rate-limited", "unschedulable", "secret-missing", "sidecar-image-missing"]
    )
    def test_of_others(self, recorded: str) -> None:
        assert not _found(pod(recorded)).is_own_fault

    def test_of_the_node(self) -> None:
        finding = look(pod("unready"), at=30, answers=node("Unknown", since=-200)).finding
        assert finding is not None
        assert (finding.rule.code, finding.is_own_fault) == ("NodeLost", False)


def test_an_image_may_be_called_like_a_cause() -> None:
    for name in ("reset", "denied", "eof", "unauthorized"):
        image = f"registry.example/{name}:1"
        wanted = replace(WEB, request=replace(WEB.request, image=image))
        text = (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
            f'Head "https://registry.example/v2/{name}/manifests/1": read tcp 10.0.0.1:5->10.0.0.2:443: read: '
            "connection reset by peer"
        )
        finding = look(waiting("ErrImagePull", text, image), wanted=wanted).finding
        assert finding is not None
        assert finding.rule.id == "image-registry"
