"""A MillDeployment whose rollouts follow from observations."""

import pytest

from tests.support.rollouts import World


@pytest.fixture
def world() -> World:
    return World()
