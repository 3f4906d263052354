"""Mistakes in files."""

from typing import Final

from tests.bench.mistakes.mistake import Chapter, Mistake, of_command, of_file, web

_TYPOS: Final = """servce "api" {
  image = "web:1"
}
service "web" {
  img = "web:1"
  prot = 8080
  replica = 2
  healthcheck {
    path = "/"
  }
  cmd = ["/web"]
}
"""
_ROUTES: Final = web('route "shop.example.com" {}') + web('route "shop.example.com" {}', name="api")
_COMPOSE: Final = "services:\n  web:\n    image: nginx\n"
_DEPLOYMENT: Final = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"


def _with(line: str) -> str:
    return f'service "web" {{\n  image = "nginx:1.29"\n  {line}\n}}\n'


FILES: Final = Chapter(
    "Files",
    "Each file is deployed by `mill deploy`; it is refused, and nothing changes. A file with several mistakes has an "
    "answer to each of them; the table shows the first.",
    (
        Mistake("wrong file name", of_command("deploy", "shpo.mill", files=["shop.mill"]), 4, "No such file"),
        Mistake("no file, and none in the folder", of_command("deploy"), 4, "no file is given"),
        Mistake(
            "no file, and two in the folder",
            of_command("deploy", files=["api.mill", "shop.mill"]),
            4,
            "several .mill files",
        ),
        Mistake("six misspelled blocks and attributes", of_file(_TYPOS), 1, "unknown block `servce`"),
        Mistake("the second of them", of_file(_TYPOS), 1, "unknown attribute `prot`"),
        Mistake('`port = "8080"`', of_file(_with('port = "8080"')), 1, "expected a whole number"),
        Mistake('`cpu = "500m"`', of_file(_with('cpu = "500m"')), 1, "expected a number"),
        Mistake("`memory = 512`", of_file(_with("memory = 512")), 1, "expected a string"),
        Mistake("a brace that is not closed", of_file('service "web" {\n  image = "nginx:1.29"\n'), 1, "never closed"),
        Mistake("`image = nginx`", of_file('service "web" {\n  image = nginx\n}\n'), 1, "expression `nginx`"),
        Mistake("`port = var.port`", of_file(_with("port = var.port")), 1, "expression `var.port`"),
        Mistake('`env = { MOTD = file("motd") }`', of_file(_with('env = { MOTD = file("motd") }')), 1, 'file("motd")'),
        Mistake(
            "attributes on one line, with a comma",
            of_file('service "web" { image = "nginx:1.29", port = 80 }\n'),
            1,
            "unexpected `,`",
        ),
        Mistake("an image with capitals", of_file('service "web" {\n  image = "Nginx:1"\n}\n'), 1, "image reference"),
        Mistake("the same route twice", of_file(_ROUTES), 1, "already leads to service 'web'"),
        Mistake("a Compose file", of_file(_COMPOSE, name="compose.yaml"), 1, "looks like a Compose file"),
        Mistake("a Kubernetes Deployment", of_file(_DEPLOYMENT, name="web.yaml"), 1, "is a Kubernetes Deployment"),
        Mistake("an empty file", of_file(""), 1, "no service and no task"),
        Mistake("a file of 5 MB", of_file("# a comment\n" * 420_000), 4, "at most 262,144"),
        Mistake("5 MB of YAML", of_file("- a: 1\n" * 720_000, name="shop.yaml"), 4, "more than"),
    ),
    is_quick=True,
)
