"""The pure parts of the soak of faults that heal by themselves, and its registries."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.soak.healing.following import Followed
from tests.soak.healing.registries import failing
from tests.soak.healing.running import Outcome, parts
from tests.soak.healing.scenario import Scenario, healing, plain
from tests.soak.healing.scenarios import SCENARIOS
from tests.soak.healing.section import HEADING, section
from tests.soak.page import measured_before, rows_of, with_section
from tests.support.http_servers import serving

GREEN = Followed(success=True, suspected=("SecretNotFound",), seconds=12.4)


def test_a_rollout_that_was_called_failed_on_the_way_is_not_green() -> None:
    assert GREEN.green
    assert not Followed(success=True, failures=("TagNotFound: tag not found",)).green
    assert not Followed(success=False).green


def test_the_section_counts_each_fault_and_all() -> None:
    outcomes = [
        Outcome("late", 3, GREEN),
        Outcome("late", 6, Followed(success=True, seconds=30)),
        Outcome("reset", 45, Followed(success=False, failures=("RegistryUnavailable: …",), seconds=61)),
    ]
    late, reset, missing, everything = section(outcomes, ["late", "reset", "missing"], "Today.").rows
    assert late == ["late", "3 or 6 s", "2 of 2", "1 of 2", "`SecretNotFound`", "30 s"]
    assert reset == ["reset", "45 s", "0 of 1", "0 of 1", "-", "61 s"]
    assert missing == ["missing", *["-"] * 5]
    assert everything == ["**all**", "", "**2 of 3**", "", "", ""]


def test_a_fault_that_is_measured_again_replaces_its_row_and_the_others_stay() -> None:
    names = ["late", "reset"]
    first = [Outcome("late", 3, GREEN), Outcome("reset", 45, Followed(success=False, seconds=61))]
    page = with_section("# Title\n\n## Other\n\n| a |\n", section(first, names, "Measured yesterday."))
    again = [Outcome("reset", 45, Followed(success=True, seconds=80)) for _ in range(3)]
    assert measured_before(page, HEADING) == "Measured yesterday."
    late, reset, everything = section(again, names, "Today.", rows_of(page, HEADING)).rows
    assert late == ["late", "3 s", "1 of 1", "1 of 1", "`SecretNotFound`", "12 s"]
    assert reset == ["reset", "45 s", "3 of 3", "0 of 3", "-", "80 s"]
    assert everything[2] == "**4 of 4**"


def test_rollouts_are_divided_into_groups_whose_faults_heal_at_times_in_turn() -> None:
    scenario = Scenario("late", (3, 6), 12, plain)
    assert [(each.rollouts, each.heal_seconds) for each in parts(scenario, 12)] == [(5, 3), (5, 6), (2, 3)]


def test_there_are_200_rollouts_of_different_faults() -> None:
    assert sum(each.rollouts for each in SCENARIOS) >= 200
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)


def test_a_fault_is_healed_at_the_end_of_its_block_at_the_latest() -> None:
    healed = threading.Event()
    with healing(600, healed.set):
        assert not healed.is_set()
    assert healed.is_set()


class _Real(BaseHTTPRequestHandler):
    """Has everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"image")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def real() -> Iterator[str]:
    with serving(HTTPServer(("127.0.0.1", 0), _Real)) as server:
        yield f"127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("429", "HTTP Error 429: Too Many Requests"),
        ("500", "HTTP Error 500: Internal Server Error"),
        ("reset", "reset"),
    ],
)
def test_a_registry_fails_for_its_time(real: str, fault: str, answer: str) -> None:
    with failing(fault)(real, 600) as address, pytest.raises(OSError, match=answer):
        urllib.request.urlopen(f"http://{address}/v2/web/manifests/1", timeout=10)


def test_a_registry_that_has_healed_gives_what_the_real_one_has(real: str) -> None:
    with failing("slow")(real, 0.05) as address:
        for _ in range(2):
            with urllib.request.urlopen(f"http://{address}/v2/web/manifests/1", timeout=10) as answer:
                assert answer.read() == b"image"
