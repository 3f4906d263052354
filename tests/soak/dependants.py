"""A first deploy of an app and its database: the app exits until the database listens."""

import random
import secrets
from dataclasses import dataclass

from hack import images
from mill_cli.errors import Exit
from tests.e2e.conftest import Namespace
from tests.soak.cases import Counted, Soak, count
from tests.soak.page import Section, of
from tests.soak.programs import dependants

DELAYS = (1, 5, 20, 60)
HEADING = "An app that needs its database"


@dataclass(frozen=True)
class First:
    """What became of a first deploy."""

    green: bool
    renewed: int
    """Number of pods of the app that were replaced."""


def measure(soak: Soak, repetitions: int, measured: str) -> Section:
    """Run the part."""
    tag = f"soak-{secrets.token_hex(4)}"  # a node may have an older program under a tag that was pushed before
    images.push_sample(soak.cluster.registry, tag)

    def run(namespace: Namespace, seconds: int) -> First:
        """Deploy both at once."""
        code = namespace.deploy(dependants(seconds, tag)).code
        return First(code == Exit.SUCCESS, namespace.pods_created("app") - 1)

    cases = [each for _ in range(repetitions) for each in random.sample(DELAYS, len(DELAYS))]
    return section(count(soak, cases, run), measured)


def section(counted: list[Counted[int, First]], measured: str) -> Section:
    """Return the counts for each delay."""
    rows = []
    for delay in DELAYS:
        found = [each.outcome for each in counted if each.case == delay]
        most = max((each.renewed for each in found), default=0)
        rows.append([f"{delay} s", of(sum(each.green for each in found), len(found)), most])
    return Section(
        HEADING,
        'Both are deployed for the first time, by one file. The app has `env { DATABASE = "db:8080" }` and exits with '
        "code 1 until the database listens, which it does after some time. The rollout must succeed. When the database"
        " begins to serve, a pod of the app that has crashed is replaced, once: the last column is the highest number "
        'of replacements in one rollout. A\ndatabase that listens after 60 seconds has `health { start = "2m" }`.',
        ("database listens after", "green", "pods replaced, at most"),
        rows,
        measured,
    )
