"""How services are reached, in lines."""

from typing import Any

import pytest

from mill_cli.output.reach_lines import MOST_LINES, reach_lines
from mill_cli.services import project_services

URL, OTHER = "http://shop.example.com/", "https://shop.example.com/api"
NONE = "no ingress controller serves it"


def service(name: str = "web", *routes: tuple[str, str | None], serving: Any = 1, **more: Any) -> dict[str, Any]:
    shown = [{"url": url, "problem": problem} for url, problem in routes]
    return {"name": name, "port": 8080, "replicas": {"serving": serving}, "routes": shown, **more}


def lines(*services: Any, commands: bool = False) -> list[str]:
    return reach_lines(project_services(list(services)), lambda name: f"mill forward {name}", commands=commands)


@pytest.mark.parametrize(
    ("services", "commands", "expected"),
    [
        ([service()], False, []),
        ([service()], True, ["  web: `mill forward web`"]),
        ([service(port=None)], True, []),
        ([service("web", (URL, None))], True, [f"  web: {URL}"]),
        (
            [service("web", (URL, None), (OTHER, NONE)), service("longer")],
            True,
            [
                f"  web:    {URL}",
                f"  web:    {OTHER} ({NONE})",
                "  longer: `mill forward longer`",
                "  help: `mill forward web` reaches a service without its route",
            ],
        ),
        ([service(f"s{number}") for number in range(40)], True, ["  `mill forward SERVICE` reaches a service"]),
        (
            [service("web", (URL, None)), *(service(f"s{number}") for number in range(4))],
            True,
            [f"  web: {URL}", "  `mill forward SERVICE` reaches a service"],
        ),
        ([service("web", (URL, None), serving=0)], True, []),
        ([service("web", (URL, None), serving="2")], True, []),
        ([None, 5, {}, {"replicas": {"serving": 1}, "routes": [None, 5]}], True, []),
    ],
)
def test_lines_of_services(services: list[Any], commands: bool, expected: list[str]) -> None:
    assert lines(*services, commands=commands) == expected


def test_many_lines_are_cut() -> None:
    found = lines(*(service(f"s{number}", (f"http://{number}.example/", None)) for number in range(40)))
    assert (len(found), found[-1]) == (MOST_LINES, "  and 29 more: `mill status` lists them")


def test_hostile_texts_are_cut_and_printable() -> None:
    (line, _) = lines(service("web", (f"http://a\x1b[31m/{'x' * 5000}", "\u202e" + "y\n" * 5000)))
    assert line.isprintable()
    assert len(line) < 650
