"""The API server of unit tests: one model in memory, instead of one per test module.

It serves the requests that Mill's own client sends, so that paths, parameters and content types are those of the
product. It has no schemas, no admission, no garbage collector and no controllers; what it does not model raises
`NotImplementedError`. `apiserver_contract` runs the same scenario against it and against a real API server.
"""

from tests.support.apiserver.client import InMemoryClient
from tests.support.apiserver.faults import Fault, action_of
from tests.support.apiserver.logs import ContainerLog
from tests.support.apiserver.reviews import Token
from tests.support.apiserver.server import ApiServer

__all__ = ["ApiServer", "ContainerLog", "Fault", "InMemoryClient", "Token", "action_of"]
