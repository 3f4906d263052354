"""What a target is: how inputs are made, and what has to hold for each."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """Something that reads what others write."""

    name: str
    generate: Callable[[random.Random], Any]
    """Make an input: bytes and texts are made smaller when they fail, anything else is told as it is."""
    check: Callable[[Any], None]
    """Raise, by `assert` or otherwise, unless all that should hold for an input does."""
    seconds: float = 1.0
    """CPU seconds that one input may take."""


def input_of(target: Target, seed: int, number: int) -> Any:
    """Make one input, always the same."""
    return target.generate(random.Random(f"{seed} {target.name} {number}"))
