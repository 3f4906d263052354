"""Rules about objects that could not be written, and the operator's own internal errors."""

from typing import Final

from mill_operator.core.verdicts.pod_predicates import problem
from mill_operator.core.verdicts.rule import AT_ONCE, Rule, Speed, WriteRule, seconds

INTERNAL: Final = WriteRule(
    id="internal-error",
    code="InternalError",
    speed=Speed.LIKELY,
    grace=seconds(30),
    predicate=problem("internal"),
    evidence="an unexpected error of the operator while it renders or judges this service or run",
    message="internal error of mill: {cause}",
    suggestion=(
        "Report this error, as mill's CONTRIBUTING.md describes, with the lines of the operator's log that have this"
        " id. Running pods keep running, and the operator keeps retrying."
    ),
)

WRITES: Final[tuple[Rule, ...]] = (
    WriteRule(
        id="name-taken",
        code="NameTaken",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=problem("taken"),
        evidence="an object of that name that belongs to another owner",
        message="{cause}",
        suggestion=(
            "Choose another name in the file, or delete the object that has it. Until then, nothing of the service or"
            " task is changed."
        ),
    ),
    WriteRule(
        id="host-not-allowed",
        code="HostNotAllowed",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=problem("host"),
        evidence=(
            "the annotation `mill.dev/allowed-hosts` of the namespace does not name the host, or cannot be read; the"
            " service's pods run, its Ingress is not written"
        ),
        message="{cause}",
        suggestion=(
            "Use a host that is allowed, or ask a cluster administrator to allow it by the annotation"
            " mill.dev/allowed-hosts of the namespace."
        ),
    ),
    WriteRule(
        id="route-taken",
        code="RouteTaken",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=problem("route"),
        evidence=(
            "the Ingress of another MillDeployment has the host and path; the service's pods run, its Ingress is not"
            " written until the route is free"
        ),
        message="{cause}",
        suggestion="Use another host or path, or remove the route from the service that has it.",
    ),
    WriteRule(
        id="object-refused",
        code="Refused",
        speed=Speed.PERMANENT,
        grace=AT_ONCE,
        predicate=problem("refused"),
        evidence="the API server refuses an object: admission, validation, rights",
        message="refused by the cluster: {cause}",
        suggestion="Fix the field that the message names, or ask your cluster administrator.",
    ),
    WriteRule(
        id="object-blocked",
        code="AdmissionBroken",
        speed=Speed.NEEDS_TIME,
        grace=seconds(60),
        predicate=problem("blocked"),
        evidence="the API server answers 500 for an object: an admission webhook does not respond",
        message="not accepted by the cluster: {cause}",
        suggestion="Ask your cluster administrator to repair the admission webhook. The operator keeps retrying.",
    ),
)
