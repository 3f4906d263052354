"""What matters beside the message of a reason: the image, the command, the last line, how large the largest node is."""

from dataclasses import replace

import pytest

from mill_api.service_status import State
from mill_operator.core.observed.allocatable import RESOURCES_KEPT, LargestNode, project_allocatable
from mill_operator.core.observed.lookup_results import LookupResults
from mill_operator.core.observed.pods import ObservedPod
from mill_operator.core.observed.requests import project_requests
from mill_operator.core.verdicts.scheduling_predicates import largest_amounts, scheduling_causes
from tests.support.recordings import WEB, look, pod, remembered, waiting
from tests.support.rollouts import World, failed, healthy, starting

LARGEST = LookupResults(largest_node={"memory": 24548880 * 1024, "cpu": 0.9})
RUNTIME = "failed to create containerd task: OCI runtime create failed: "


def not_run(message: str) -> ObservedPod:
    return waiting("RunContainerError", message)


@pytest.mark.parametrize(
    ("seen", "rule", "detail"),
    [
        (pod("tag-missing"), "image-missing", "image registry.example/web:1"),
        (pod("denied"), "image-denied", "image registry.example/web:1"),
        (pod("registry-down"), "image-registry", "image registry.example/web:1"),
        (pod("init-image-missing"), "image-missing", "image registry.example/istio:missing"),
        (pod("exec-format"), "start-format", "image registry.example/web:1"),
        (pod("command-missing"), "start-command", "command /nosuch"),
        (pod("command-missing-loop"), "start-command", "command /nosuch"),
        (pod("not-executable"), "start-command", "command /etc"),
        (pod("interpreter-missing"), "start-interpreter", "command /x/sh"),
        (
            not_run(RUNTIME + 'container process: exec: \\"nosuch\\": executable file not found in $PATH'),
            "start-command",
            "command nosuch",
        ),
        (not_run("executable file `nosuch` not found in $PATH: No such file"), "start-command", "command nosuch"),
        (not_run('error finding executable "nosuch" in PATH'), "start-command", "command nosuch"),
        (not_run("the file nosuch was not found"), "start-command", "command nosuch"),
        (not_run("no command specified"), "start-command", ""),
        (pod("crashed-twice"), "crash", "last log line: 2026/11/23 20:52:09 exiting with code 3 after 1ms"),
        (pod("crashed-once"), "crash", "last log line: 2026/11/23 20:52:09 exiting with code 3 after 1ms"),
        (pod("init-crashed-twice"), "crash", ""),
        (pod("exit-0-twice"), "ended", ""),
        (pod("oom-twice"), "out-of-memory", ""),
        (pod("unschedulable"), "unschedulable", "largest node: 23.4 GiB"),
        (pod("unschedulable-cpu"), "unschedulable", "largest node: 0.9 CPU cores"),
        (pod("unschedulable-selector"), "unschedulable-placement", ""),
    ],
)
def test_detail_of_a_finding(seen: ObservedPod, rule: str, detail: str) -> None:
    finding = look(seen, at=60, answers=LARGEST).finding
    assert finding is not None
    assert (finding.rule.id, finding.detail) == (rule, detail)


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            "Error: Cannot find module '/app/server.js'\n    at load (node:985) {\n  code: 1\n}\n\nNode.js v18\n",
            "Error: Cannot find module '/app/server.js'",
        ),
        ("Caused by: java.net.ConnectException: refused\n\tat a.B.c(B.java:1)\n\t... 12 more\n",
         "Caused by: java.net.ConnectException: refused"),
        ("settings:\n  DB_HOST is not set\n", "  DB_HOST is not set"),
        ("  at the end\n}\n", "}"),
    ],
)  # fmt: skip
def test_the_last_line_of_a_crash_is_the_error_and_not_its_stack(log: str, line: str) -> None:
    crashed = pod("crashed-twice")
    end = crashed.container.latest_end
    assert end is not None
    last = replace(end, message=log)
    container = replace(crashed.container, ended=last if crashed.container.ended else None, last_ended=last)
    finding = look(replace(crashed, container=container), at=60).finding
    assert finding is not None
    assert finding.detail == f"last log line: {line}".replace(":   ", ": ")


def test_without_an_answer_only_the_detail_is_missing() -> None:
    with_answer, without = look(pod("unschedulable"), at=60, answers=LARGEST), look(pod("unschedulable"), at=60)
    assert with_answer.finding is not None
    assert without.finding is not None
    assert (without.finding.message, without.finding.detail) == (with_answer.finding.message, "")
    assert (with_answer.state, without.state) == (State.SUSPECT, State.SUSPECT)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("0/3 nodes are available: 3 Insufficient memory.", "23.4 GiB"),
        ("0/3 nodes are available: 1 Insufficient memory, 3 Insufficient cpu.", "4 CPU cores, 23.4 GiB"),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "8 nvidia.com/gpu"),
        ("0/3 nodes are available: 3 Insufficient ephemeral-storage.", "1.0 KiB"),
        ("0/3 nodes are available: 3 Insufficient example.com/fpga.", ""),
        ("0/3 nodes are available: 3 Too many pods.", ""),
        ("", ""),
    ],
)
def test_amounts_of_the_resources_that_do_not_suffice(message: str, text: str) -> None:
    largest = {"memory": 24548880 * 1024.0, "cpu": 4.0, "nvidia.com/gpu": 8.0, "ephemeral-storage": 1024.0}
    assert largest_amounts(scheduling_causes(message), largest, {}) == text


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        ({}, "4 CPU cores, 23.4 GiB"),
        ({"cpu": 8.0, "memory": 32 * 1024.0**3}, "4 CPU cores, 23.4 GiB"),
        ({"cpu": 4.0, "memory": 32 * 1024.0**3}, "4 CPU cores, not enough free; 23.4 GiB"),
        ({"cpu": 0.5, "memory": 1.0}, "4 CPU cores, not enough free; 23.4 GiB, not enough free"),
        ({"cpu": 0.0, "memory": 32 * 1024.0**3}, "4 CPU cores, 23.4 GiB"),
    ],
)
def test_a_node_that_has_as_much_as_is_requested_is_full_and_not_too_small(
    requests: dict[str, float], text: str
) -> None:
    largest = {"memory": 24548880 * 1024.0, "cpu": 4.0}
    causes = scheduling_causes("0/3 nodes are available: 1 Insufficient memory, 3 Insufficient cpu.")
    assert largest_amounts(causes, largest, requests) == text


def test_the_detail_of_a_full_node() -> None:
    full = pod("unschedulable-cpu", requests={"cpu": 0.5})
    finding = look(full, at=60, answers=LARGEST).finding
    assert finding is not None
    assert finding.detail == "largest node: 0.9 CPU cores, not enough free"


CPU = {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}


@pytest.mark.parametrize(
    ("spec", "requests"),
    [
        ({}, {}),
        ({"containers": [{}, {"resources": {"limits": {"cpu": "4"}}}]}, {}),
        ({"containers": [CPU, CPU]}, {"cpu": 2.0, "memory": 2 * 1024.0**3}),
        ({"containers": [{"resources": {"requests": {"cpu": "500m", "example.com/GPU": 2, "memory": "odd"}}}]},
         {"cpu": 0.5, "example.com/gpu": 2.0}),
        ({"containers": [CPU], "initContainers": [{"resources": {"requests": {"cpu": 3}}}]},
         {"cpu": 3.0, "memory": 1024.0**3}),
        ({"containers": [CPU], "initContainers": [{**CPU, "restartPolicy": "Always"},
                                                   {"resources": {"requests": {"cpu": "1500m"}}}]},
         {"cpu": 2.5, "memory": 2 * 1024.0**3}),
        ({"containers": [CPU], "overhead": {"cpu": "250m"}}, {"cpu": 1.25, "memory": 1024.0**3}),
        ({"containers": [CPU], "resources": {"requests": {"cpu": "4"}}}, {"cpu": 4.0, "memory": 1024.0**3}),
        ({"containers": 5, "initContainers": [None], "overhead": [], "resources": "all"}, {}),
    ],
)  # fmt: skip
def test_what_a_pod_requests(spec: dict[str, object], requests: dict[str, float]) -> None:
    assert project_requests(spec) == requests


def test_requests_are_kept_of_pods_that_find_no_node_alone() -> None:
    assert pod("unschedulable-cpu").requests == {"cpu": 1000.0, "memory": 16_000_000.0}
    assert not pod("ready").requests


@pytest.mark.parametrize(
    ("node", "amounts"),
    [
        ({"status": {"allocatable": {"cpu": "900m", "memory": "1Gi"}}}, {"cpu": 0.9, "memory": 1024.0**3}),
        ({"status": {"allocatable": {"cpu": 4, "Odd": "1", "memory": "much"}}}, {"cpu": 4.0, "odd": 1.0}),
        ({"spec": {"unschedulable": True}, "status": {"allocatable": {"cpu": "4"}}}, {}),
        ({"status": {"allocatable": ["cpu"]}}, {}),
        ({}, {}),
    ],
)
def test_what_a_node_can_allocate(node: dict[str, object], amounts: dict[str, float]) -> None:
    assert project_allocatable(node) == amounts


def test_the_largest_amount_of_each_resource_is_kept_and_not_any_number_of_them() -> None:
    largest = LargestNode().or_larger({"cpu": 4.0, "memory": 1.0}).or_larger({"cpu": 2.0, "memory": 3.0})
    assert largest.amounts == {"cpu": 4.0, "memory": 3.0}
    many = largest.or_larger({f"example.com/{n}": 1.0 for n in range(1000)}).or_larger({"cpu": 8.0})
    assert (len(many.amounts), many.amounts["cpu"]) == (RESOURCES_KEPT, 8.0)


def test_a_back_off_keeps_the_detail_of_the_cause_that_is_known() -> None:
    known = remembered(look(pod("tag-missing")))
    finding = look(pod("tag-missing-backoff"), at=30, previous=known).finding
    assert finding is not None
    assert (finding.rule.id, finding.detail) == ("image-missing", known.detail)
    assert known.detail == "image registry.example/web:1"


def test_the_detail_is_in_the_status_and_in_the_event_of_a_failure() -> None:
    seen = failed("web")
    assert seen.finding is not None
    world = World().look(starting("web")).look(replace(seen, finding=replace(seen.finding, detail="image web:9")))
    assert world.status.services[0].detail == "image web:9"
    shown = {
        full: next(each.data for each in world.events(full=full) if each.name == "failed") for full in (True, False)
    }
    assert (shown[True]["detail"], shown[False].keys()) == ("image web:9", {"service", "reason"})
    assert world.look(healthy("web")).status.services[0].detail is None


@pytest.mark.parametrize("name", ["command-missing", "not-executable"])
def test_a_command_without_arguments_may_have_been_meant_as_arguments(name: str) -> None:
    alone = replace(WEB, request=replace(WEB.request, has_command_alone=True))
    finding = look(pod(name), at=60, wanted=alone).finding
    assert finding is not None
    assert finding.rule.code == "CommandNotFound"
    assert finding.suggestion.startswith("Write `args` instead of `command`")
    other = look(pod(name), at=60).finding
    assert other is not None
    assert "args" not in other.suggestion
