"""What people get wrong about checks, paths, ends and values, and the words of other tools that they write."""

import pytest

from tests.support.mill_files import found_at_the_arrow, web

UDP = ('port "dns" {', "number = 53", 'protocol = "udp"', "}")
ELSEWHERE = "mount it at another path, such as /data"
PODS = 'write a number of pods, such as surge = 1, or a part of the replicas, such as surge = "25%"'


def health(*lines: str) -> str:
    """Return a service with a port and a health block of these lines."""
    return web("port = 80", "health {", *lines, "}")


def volume(path: str) -> str:
    """Return a service with a volume at a path."""
    return web('volume "data" {', f'path = →"{path}"', "ephemeral = true", "}")


ROWS: dict[str, list[tuple[str, str, str | None]]] = {
    "checks": [
        (web('→health { path = "/" }'), "a health check needs a port", "add `port = …` to the service"),
        (
            health('path = "/"', 'command = →["true"]'),
            "a health check is of one kind: path, command or grpc",
            "keep the one that says best whether the service works",
        ),
        (
            health('command = ["true"]', 'interval = →"4s"'),
            "a command may be run every 5s at most, got '4s'",
            "each check is a new process: write 5s or more",
        ),
        (
            health('command = ["true", →"${secret(a)}"]'),
            "references are not replaced in the command of a check",
            'put it into `env`, and read the variable: ["sh", "-c", "my-check --password \\"$PASSWORD\\""]',
        ),
        (
            health("→headers = { Host = 1 }", "grpc = true"),
            "headers need a path: only an HTTP request has some",
            "add `path` to the health block",
        ),
        (
            web(*UDP, 'health { port = →"dns" }'),
            "port 'dns' is UDP: a check connects by TCP",
            "name a TCP port",
        ),
        (web('health { port = →"dsn" }'), "unknown port 'dsn'", "write its number"),
        (
            health('path = "/"', 'timeout = →"500ms"'),
            "timeout of a check must be from 1s to 5m, got '500ms'",
            'write the longest time that an answer takes, such as timeout = "5s"',
        ),
        (
            health('start = →"2h"'),
            "start must be longer than 0s and at most 1h, got '2h'",
            'write the longest time that a start takes, such as start = "3m"',
        ),
        (
            web("port = 80", "live {", 'path = "/"', '→start = "3m"', "}"),
            "unknown attribute `start` in `live`",
            "write it in the health block: the live check begins once the program has started",
        ),
    ],
    "update and end": [
        (web("update { surge = →0 }"), "surge must be from 1 to 1000 pods or from 1% to 100%, got '0'", PODS),
        (
            web('volume "d" {', 'path = "/d"', 'size = "1G"', "}", "update { surge = →1 }"),
            "surge has no effect with a persistent volume: the old replica ends before the new one starts",
            "remove it",
        ),
        (
            web("update { →max_unavailable = 1 }"),
            "unknown attribute `max_unavailable` in `update`",
            "leave it out: an update takes no pod away before a new one is ready",
        ),
        (
            web('stop = →"6m"'),
            "stop must be from 1s to 5m, got '6m'",
            'write the longest time that the program takes to end, such as stop = "45s"',
        ),
        (web('stop_signal = →"quit"'), "'quit' is not a signal", "write SIGQUIT"),
    ],
    "paths": [
        (volume("/"), "a volume cannot be at '/', where the image is", ELSEWHERE),
        (volume("/proc/x"), "a volume cannot be in /proc, whose files are the kernel's", ELSEWHERE),
        (volume("/dev/"), "a volume cannot be at /dev, where the container's devices are", ELSEWHERE),
    ],
    "values": [
        (
            web('gpu = →"nvidia"'),
            'expected a whole number, got the string "nvidia"',
            'write `gpu = 1`, or name the resource of the GPU: `gpu = { "amd.com/gpu" = 1 }`',
        ),
        (
            'variable "a" { default = "x" }\n' + web('args = [→"${var.a ? 1 : 2}", "${var.a}"]'),
            "`${var.a ? 1 : 2}` is not the name of a variable",
            "write ${var.NAME}, with nothing else between the braces",
        ),
    ],
}


@pytest.mark.parametrize(
    ("source", "message", "suggestion"),
    [pytest.param(*row, id=f"{part}-{number}") for part, rows in ROWS.items() for number, row in enumerate(rows)],
)
def test_a_mistake_has_its_place_and_a_suggestion(source: str, message: str, suggestion: str | None) -> None:
    assert found_at_the_arrow(source) == (message, suggestion)


IN_A_SERVICE = {
    "runAsUser": "write user = 1000",
    "fsGroup": "write group = 1000: its volumes belong to that group, too",
    "readOnlyRootFilesystem": "write read_only_root = true",
    "imagePullPolicy": "leave it out: nodes pull a digest or tag once, and `latest` at each start",
    "pull_policy": "leave it out: nodes pull a digest or tag once, and `latest` at each start",
    "kill_signal": 'write stop_signal = "SIGQUIT"',
    "stop_timeout": 'write stop = "30s"',
    "platform": 'write place { arch = "arm64" }',
    "mem_limit": 'write limits { memory = "1G" }',
    "gpus": "write gpu = 1",
    "for_each": "mill has no loops: write the block once for each",
}
IN_A_TASK = {
    "port": "nothing connects to a task: what answers requests is a service",
    "health": "a run has no checks: it fails if it ends with an exit code other than 0, or after its `timeout`",
    "replicas": "a run has one pod: start as many runs as there is work for",
    "volume": "mill has no volumes of tasks yet: a run keeps nothing, and `file` gives it texts",
}
IN_A_BLOCK = {
    ("health", "test"): 'write command = ["pg_isready"], or path = "/healthz"',
    ("health", "retries"): "write failure_threshold = 3",
    ("health", "start_period"): 'write start = "3m"',
    ("update", "maxSurge"): 'write surge = "25%"',
    ("update", "minReadySeconds"): 'write settle = "10s"',
    ('port "a"', "nodePort"): "write outside = 222",
    ('file "/a"', "source"): 'write from = "conf/app.conf"',
}


def test_words_of_other_tools_have_the_word_that_is_here() -> None:
    for word, advice in IN_A_SERVICE.items():
        assert found_at_the_arrow(web(f"→{word} = 1"))[1] == advice
    for word, advice in IN_A_TASK.items():
        assert found_at_the_arrow(f'task "t" {{\n  image = "a:1"\n  →{word} = 1\n}}')[1] == advice
    complete = {"health": "port = 80", "update": "", 'port "a"': "number = 80", 'file "/a"': 'content = ""'}
    for (block, word), advice in IN_A_BLOCK.items():
        assert found_at_the_arrow(web(f"{block} {{", complete[block], f"→{word} = 1", "}"))[1] == advice
