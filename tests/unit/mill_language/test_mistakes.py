"""What people get wrong in each part of the language: the exact place, the message and the suggestion.

A row is a source in which `→` stands before the place that the message is about.
"""

import pytest

from mill_language.inputs import Inputs
from mill_language.parser import parse_file
from tests.support.mill_files import found_at_the_arrow, warned_at_the_arrow, web

DB = '\nservice "db" {\n  image = "db:1"\n  port  = 5432\n}\n'
NO_PORT = '\nservice "db" {\n  image = "db:1"\n}\n'
VARIABLES = 'variable "tag" { default = "1" }\n'

SECRET_IN_A_FILE = (
    'write secret = "b" instead of the content, or use a variable in `env` where the program expands it; $${…} stands '
    "for the text ${…}"
)
BEFORE_A_DEPLOY = 'write a task: task "migrate" { image = "…", args = […], before = ["web"] }'

IN_AN_OBJECT = 'write an object, in which names may be quoted: `labels = { "example.com/team" = "shop" }`'


ROWS: dict[str, list[tuple[str, str, str | None]]] = {
    "arguments": [
        (
            web('args = →"serve"'),
            'expected a list of strings, got the string "serve"',
            'write a list: ["program", "argument"]',
        ),
        (web("args = [→1]"), "expected a string, got the number 1", None),
        (web("→argz = []"), "unknown attribute `argz` in `service`", "did you mean `args`?"),
        (web("→arg = []"), "unknown attribute `arg` in `service`", "did you mean `args`?"),
        (
            web('→entrypoint = ["serve"]'),
            "unknown attribute `entrypoint` in `service`",
            "write `command`; what Compose calls command is `args`",
        ),
    ],
    "references": [
        (web('args = [→"${service.dbs.host}"]') + DB, "unknown service reference 'dbs'", "did you mean `db`?"),
        (web('args = [→"${service.db.port}"]') + NO_PORT, "service 'db' has no port", "give 'db' a port"),
        (web('env { A = →"${service.db.host}" }') + NO_PORT, "service 'db' has no address", "give 'db' a port"),
        (
            web("port = 80", 'env { A = →"${service.web.url}" }'),
            "service 'web' has no URL",
            "give 'web' a route whose host has no *, or write ${service.web.address}",
        ),
        (
            web("port = 80", 'env { A = →"${service.web.addr}" }'),
            "unknown reference '${service.web.addr}'",
            "did you mean ${service.web.address}?",
        ),
        (web("env { A = →secret(a/b) }"), "'a/b' is not a secret name", "use letters, digits, -, _ and ."),
    ],
    "variables and shared environments": [
        (
            web("replicas = →var.replicas"),
            "expected a whole number, got the expression `var.replicas`",
            'declare it: variable "replicas" { default = "…" }',
        ),
        (
            VARIABLES + web('replicas = →"${var.tag}"'),
            'expected a whole number, got the string "1"',
            "write the variable without quotes and braces: var.NAME",
        ),
        (VARIABLES + web('args = [→"${var.tga}", "${var.tag}"]'), "unknown variable 'tga'", "did you mean `tag`?"),
        (
            'variable →"tag" {}\n' + web('args = ["${var.tag}"]'),
            "variable 'tag' has no value",
            "give it: --var tag=…, in a file with --vars, or MILL_VAR_tag; or write a default",
        ),
        (
            VARIABLES + web('args = [→"${var.tag + 1}", "${var.tag}"]'),
            "`${var.tag + 1}` is not the name of a variable",
            "write ${var.NAME}, with nothing else between the braces",
        ),
        (
            'variable "tag" { default = →"${secret(a)}" }\n' + web('args = ["${var.tag}"]'),
            "the value of a variable is text",
            "write references such as ${secret(NAME)} where it is used",
        ),
        (
            'env "rails" { A = 1 }\n' + web('use = [→"rials", "rails"]'),
            "unknown env 'rials'",
            "did you mean `rails`?",
        ),
        ("→env { A = 1 }\n" + web(), "`env` needs a label here", 'write `env "rails" { … }`'),
        (web('→environment { A = "1" }'), "unknown block `environment` in `service`", 'write env { NAME = "value" }'),
        (
            web('→depends_on = ["db"]') + DB,
            "unknown attribute `depends_on` in `service`",
            'write after = ["db"]; a reference to a service needs no word',
        ),
    ],
    "files": [
        (
            web('file "/etc/x" { content = →"${secret(b)}" }'),
            "a file's content cannot hold a secret: no value passes through the operator",
            SECRET_IN_A_FILE,
        ),
        (
            web('file →"/etc/x" {}'),
            "a file needs a content or a secret",
            'write one of content = "…", from = "…" and secret = "…"',
        ),
        (
            web('file "/etc/x" { content = "a" }', 'file →"/etc/x" { content = "b" }'),
            'file "/etc/x" is defined twice',
            None,
        ),
        (
            web('file →"etc/x" { content = "a" }'),
            "'etc/x' is not the path of a file",
            "write the whole path, such as /etc/app.conf, without `..`, `:`, `//` and a slash at the end",
        ),
        (
            web('file "/etc/x" {', 'content = "a"', "mode = →755", "}"),
            "expected a string, got the number 755",
            'write four octal digits in quotes, such as mode = "0755"',
        ),
        (
            web('file "/etc/x" {', 'content = "a"', 'secret = →"b"', "}"),
            "a file has either a content or a secret",
            "remove one of them: a file has one text",
        ),
        (
            web('volume "d" {', 'path = "/data"', "ephemeral = true", "}", 'file →"/data/x" { content = "a" }'),
            "volume 'd' is mounted at '/data', and would hold the file",
            "mount the volume at another path, or write the file into the volume from the program",
        ),
        (
            web('file "/etc/x" { content = "a" }', 'file →"/etc/x/y" { content = "b" }'),
            "'/etc/x' is a file here, and a folder there",
            "give one of them another path",
        ),
        (
            web('file "/etc/x" { from = →"../x" }'),
            "a file beside the .mill file cannot be read here",
            "`mill deploy` reads it; for anything else send the output of `mill render -o mill`",
        ),
        (
            web(
                *(f'file "/etc/{index}" {{ content = "a" }}' for index in range(50)),
                'file →"/etc/50" { content = "a" }',
            ),
            "more than 50 files",
            "put files that belong together into the image or a volume",
        ),
        (
            web(
                'file "/etc/small" { content = "a" }',
                f'file →"/etc/large" {{ content = "{"x" * 65_536}" }}',
            ),
            "the files have 65,537 bytes, 65,536 of them here; the limit is 65,536",
            "put large files into the image or a volume",
        ),
        (
            web("→configs = []"),
            "unknown attribute `configs` in `service`",
            'write file "/etc/app.conf" { … }, once for each',
        ),
    ],
    "counts": [
        (
            web(
                *(f'port "p{index}" {{ number = {2000 + index} }}' for index in range(20)),
                'port →"last" { number = 3000 }',
            ),
            "more than 20 ports",
            "split the service in two",
        ),
        (
            web("port = 80", *(f'route "r{index}.example" {{}}' for index in range(50)), 'route →"last.example" {}'),
            "more than 50 routes",
            "split the service in two",
        ),
        (
            web(
                *(f'volume "v{index}" {{ path = "/v{index}", ephemeral = true }}' for index in range(20)),
                'volume →"last" { path = "/last", ephemeral = true }',
            ).replace(", ephemeral", "\n ephemeral"),
            "more than 20 volumes",
            "split the service in two",
        ),
    ],
    "entries": [
        (web("→env {", *(f"A{index} = 1" for index in range(501)), "}"), "more than 500 entries", None),
    ],
    "limits and GPU": [
        (
            web('memory = "1G"', 'limits { memory = →"512M" }'),
            "the limit of memory is below the request, which is 1G",
            "raise the limit, or lower `memory` of the service",
        ),
        (web("→limits {}"), "a limits block needs cpu or memory", 'add `cpu = 2` or `memory = "1G"`'),
        (web("gpu = →0"), "gpu must be greater than 0", None),
        (
            web('gpu = →"1"'),
            'expected a whole number, got the string "1"',
            "write a whole number, without quotes",
        ),
        (web("→resources {}"), "unknown block `resources` in `service`", "write `cpu` and `memory`"),
    ],
    "ports": [
        (
            web("→port { number = 4 }"),
            "`port` needs a label",
            'give it one name: `port "metrics" { … }`, or write `port = 8080`',
        ),
        (
            web("port = 80", 'port →"main" { number = 81 }'),
            "main is the name of the port that `port` has",
            "give it another name, or write `port = …`",
        ),
        (
            web("port = 80", 'port "a" { number = →80 }'),
            "`port` has this number already",
            "leave one of them out, unless this one has `outside`",
        ),
        (
            web('port "a" { number = 81 }', 'port "b" { number = →81 }'),
            "another port has this number and protocol",
            "give one of them another number",
        ),
        (
            web('port "a" {', "number = 81", "outside = 1", "}", 'port "b" {', "number = 82", "outside = →1", "}"),
            "another port has this number outside",
            "give one of them another number for `outside`",
        ),
        (web('port "a" { number = 81 }', 'port →"a" { number = 82 }'), 'port "a" is defined twice', None),
        (web('→port "a" {}'), "missing field `number`", "add `number = 9090`"),
        (
            web('port "a" { number = →70000 }'),
            "expected a whole number from 1 to 65535, got 70000",
            None,
        ),
        (
            web('port "a" {', "number = 53", 'protocol = →"sctp"', "}"),
            'protocol must be "tcp" or "udp", got "sctp"',
            None,
        ),
        (
            web('port "a" {', "number = 81", "→outsider = 1", "}"),
            "unknown attribute `outsider` in `port`",
            "did you mean `outside`?",
        ),
        (
            web('port →"A_b" { number = 81 }'),
            "'A_b' is not a port name",
            "use at most 15 of a-z, 0-9 and single -, with a letter, and neither begin nor end with -",
        ),
        (
            web('port "a" { number = 81 }', 'env { A = →"${service.web.b.port}" }'),
            "service 'web' has no port 'b'",
            "its named port is a",
        ),
        (
            web("port = 80", 'env { PORT = →"81" }'),
            "PORT contradicts `port`, whose value the program gets in PORT",
            "leave PORT out, and set `port` to the number on which the program listens",
        ),
        (web("→ports = [80]"), "unknown attribute `ports` in `service`", "write port = 8080"),
    ],
    "place": [
        (
            web('place { tolerate = →"gpu" }'),
            'expected a list of strings, got the string "gpu"',
            'write a list: ["gpu"]',
        ),
        (
            web('place { labels = { pool = →"a b" } }'),
            "'a b' is not the value of a label",
            "use at most 63 letters, digits, -, _ and ., and neither begin nor end with one of -_.",
        ),
        (web("→nodeSelector = {}"), "unknown attribute `nodeSelector` in `service`", "write place { labels = { … } }"),
        (
            web('labels = { "mill.dev/service" = →"x" }'),
            "Mill sets 'mill.dev/service' itself",
            "choose another key",
        ),
    ],
    "what is not there": [
        (
            web('→patch "pod" {}'),
            "unknown block `patch` in `service`",
            "mill has no patch yet: docs/convert.md says what it has, and what stays an object of your own beside it",
        ),
        (
            web('→account = "s3"'),
            "unknown attribute `account` in `service`",
            "mill has no accounts yet: all pods have the ServiceAccount that `workloads.serviceAccount` names",
        ),
        (
            web('→sidecar "proxy" {}'),
            "unknown block `sidecar` in `service`",
            "mill has no sidecars yet: write another service, or put both programs into the image",
        ),
        (
            web('→schedule = "0 3 * * *"'),
            "unknown attribute `schedule` in `service`",
            "only tasks run on a schedule: write it in a task",
        ),
        (
            'task "backup" {\n  image = "db:1"\n  →cron = "0 3 * * *"\n}',
            "unknown attribute `cron` in `task`",
            'write schedule = "0 3 * * *"',
        ),
        (
            web('→before = ["migrate"]'),
            "unknown attribute `before` in `service`",
            BEFORE_A_DEPLOY,
        ),
        (
            web('volume "d" {', 'path = "/data"', 'size = "1Gi"', '→shared = "node"', "}"),
            "unknown attribute `shared` in `volume`",
            "mill has no shared volumes yet: each belongs to one service, whose replicas it is for",
        ),
        (
            web('place { →region = "eu" }'),
            "unknown attribute `region` in `place`",
            "known are `arch`, `labels`, `tolerate`",
        ),
        (web('limits { →disk = "1G" }'), "unknown attribute `disk` in `limits`", "known are `cpu`, `memory`"),
    ],
    "syntax": [
        (
            web('args = ["sh", "-c", "echo →${X:-a b}"]'),
            "`${X:-a b}` is no reference",
            "write `$${X:-a b}` for the text `${X:-a b}`, which a shell may expand",
        ),
        (
            web('args = ["→${X%%.*}"]'),
            "`${X%%.*}` is no reference",
            "write `$${X%%.*}` for the text `${X%%.*}`, which a shell may expand",
        ),
        (
            web('args = ["→${#X}"]'),
            "`${#X}` is no reference",
            "write `$${#X}` for the text `${#X}`, which a shell may expand",
        ),
        (
            web('command = ["→${X//a/b}"]'),
            "`${X//a/b}` is no reference",
            "write `$${X//a/b}` for the text `${X//a/b}`, which a shell may expand",
        ),
        (
            web('env { A = "→${X:?}" }'),
            "`${X:?}` is no reference",
            "write `$${X:?}` for the text `${X:?}`, which a shell may expand",
        ),
        (
            web('command = ["→${@}"]'),
            "`${@}` is no reference",
            "write `$${@}` for the text `${@}`, which a shell may expand",
        ),
        (
            web('file "/x" {', "content = <<-EOT", "  exec →${1:-sh} a", "EOT", "}"),
            "`${1:-sh}` is no reference",
            "write `$${1:-sh}` for the text `${1:-sh}`, which a shell may expand",
        ),
        (
            web('env { FORMAT = "→%{time} ${secret(key)}" }'),
            "`%{time}` is no reference",
            "write `\\u0025{time}` for the text `%{time}`",
        ),
        (
            web("env {", "# %{a} in a comment", 'FORMAT = "a →%{h"', "}"),
            "`%{h` is no reference",
            "write `%%{h` for the text `%{h`",
        ),
        (web('labels { →"example.com/team" = "a" }'), 'unexpected `"`', IN_AN_OBJECT),
        (web('labels { example→.com/team = "a" }'), "unexpected `.`", IN_AN_OBJECT),
        (web("env {", 'my→.name = "a"', "}"), "unexpected `.`", IN_AN_OBJECT),
        (web('gpu "amd.com/gpu" →= 1'), "unexpected `=`", 'write `gpu = { "amd.com/gpu" = … }`'),
        (web('port "metrics" →= 9090'), "unexpected `=`", 'write `port "metrics" { … }`'),
    ],
    "user": [
        (
            web('user = →"www-data"'),
            'expected a whole number, got the string "www-data"',
            "write the number: `docker run --rm --entrypoint id IMAGE -u www-data` prints it",
        ),
        (
            web('group = →"a b; c"'),
            'expected a whole number, got the string "a b; c"',
            "write the number: `docker run --rm --entrypoint id IMAGE -g` prints it",
        ),
        (web('user = →"1000"'), 'expected a whole number, got the string "1000"', "write user = 1000, without quotes"),
        (
            web('user = →"1000:100"'),
            'expected a whole number, got the string "1000:100"',
            "write user = 1000, and group = 100 on a line of its own",
        ),
        (web("user = →4294967295"), "user must be at most 2147483647", None),
        (
            web('read_only_root = →"yes"'),
            'expected true or false, got the string "yes"',
            "write true or false, without quotes",
        ),
        (
            web('pull = →"Registry Login"'),
            "'Registry Login' is not the name of a Kubernetes Secret",
            "use at most 253 of a-z, 0-9, - and ., and neither begin nor end with - or .",
        ),
    ],
}


@pytest.mark.parametrize(
    ("source", "message", "suggestion"),
    [pytest.param(*row, id=f"{part}-{number}") for part, rows in ROWS.items() for number, row in enumerate(rows)],
)
def test_a_mistake_has_its_place_and_a_suggestion(source: str, message: str, suggestion: str | None) -> None:
    assert found_at_the_arrow(source) == (message, suggestion)


WARNINGS = {
    "a misspelled service": (
        web('command = ["serve", →"${service.bd.host}"]'),
        "unknown service reference 'bd', which is text in a command",
        "name a service of this file",
    ),
    "a variable of the environment": (
        web('args = ["--port", →"${PORT}"]'),
        "`${PORT}` is text here: no shell replaces it",
        'let a shell run it, as in command = ["sh", "-c", "…"], or write the value',
    ),
    "a variable that is not declared": (
        web('file "/etc/x" { content = →"tag ${var.tag}" }'),
        "`${var.tag}` is text here: the file declares no variable",
        'declare it: variable "tag" { default = "…" }',
    ),
    "one of them in an argument": (
        web('args = ["--tag", →"${var.tag}"]'),
        "`${var.tag}` is text here: the file declares no variable",
        'declare it: variable "tag" { default = "…" }',
    ),
    "one of Kubernetes": (
        web('command = ["serve", →"--port=$(PORT)"]'),
        "`$(PORT)` is text here: no shell replaces it",
        'let a shell run it, as in command = ["sh", "-c", "…"], or write the value',
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_may_be_a_mistake_is_a_warning_at_its_place(name: str) -> None:
    source, message, suggestion = WARNINGS[name]
    assert warned_at_the_arrow(source) == (message, suggestion)


@pytest.mark.parametrize(
    "line",
    [
        'command = ["sh", "-c", "serve --port ${PORT}"]',
        'command = ["/bin/bash", "-c", "$(id)"]',
        'args = ["/bin/sh", "-c", "serve $PORT"]',
        'args = ["$${PORT}", "$PORT", "${secret(a)}"]',
        'command = ["serve", "${service.web.host}"]',
    ],
)
def test_what_a_shell_replaces_is_no_mistake(line: str) -> None:
    assert parse_file(web("port = 80", line)).warnings == ()


def test_a_reference_in_an_annotation_is_a_warning() -> None:
    text = web("port = 80", 'annotations = { "a/b" = "${service.web.host}", "a/c" = "${x}" }')
    (warning,) = parse_file(text, filename="shop.mill", inputs=Inputs()).warnings
    assert (warning.path, warning.message) == (
        "service.web.annotations.a/b",
        "a reference is text in an annotation: nothing replaces it",
    )
