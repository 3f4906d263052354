"""Kills of the operator at random moments."""

import os
import random
import secrets
import time
from collections.abc import Callable
from typing import Final

from .operator_process import OperatorProcess

SEED: Final = os.environ.get("MILL_SEED") or secrets.token_hex(4)


def kill_at_random(
    operator: OperatorProcess, which: object, count: int, within: float, is_over: Callable[[], bool]
) -> None:
    """Kill the operator some times within some seconds, and start it again each time, before what it does is over.

    `which` tells this use from others of the same seed.
    """
    luck = random.Random(f"{SEED} {which}")
    moments = sorted(luck.uniform(0, within) for _ in range(count))
    print(f"MILL_SEED={SEED}: killed after {', '.join(f'{each:.2f} s' for each in moments)}")
    began = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        assert not is_over()
        operator.kill()
        operator.launch()
