"""The spec of a MillDeployment in a recording: whether it can be judged by, and what of it would be refused."""

from collections.abc import Sequence

from pydantic import ValidationError

from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems
from mill_objects.json import JsonView
from mill_objects.printable import one_line
from mill_operator.core import limits

SHOWN = 5
"""Problems of a spec that are listed."""


def invalid(spec: JsonView) -> str:
    """Return why a spec cannot be read at all; empty if it can."""
    try:
        MillDeploymentSpec.model_validate(spec)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return _listed([f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found])
    return ""


def refused(spec: JsonView) -> str:
    """Return why a new generation with a spec is refused, also one that was accepted once; empty if it is not."""
    return invalid(spec) or _listed(list(map(str, problems(MillDeploymentSpec.model_validate(spec)))))


def _listed(found: Sequence[str]) -> str:
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return one_line("; ".join([*found[:SHOWN], *more]), limits.TEXT_BYTES)
