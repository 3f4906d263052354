"""Everything that can be wrong with a service: **one ordered table**, a row for each cause.

Rows are read from top to bottom. Of several that match, one whose time is up wins over one that still waits, and then
the first. The modules of this package hold the rows by subject; their order is here. It makes docs/failure-codes.md.

A new reason is a new row, a predicate (`pull_predicates`, `start_predicates`, `container_predicates`,
`scheduling_predicates`, `volume_predicates`, `pod_predicates`), and a recorded pod in tests.
"""

from typing import Final

from mill_operator.core.verdicts.rule import Rule
from mill_operator.core.verdicts.rules.images import NAMED_CAUSES
from mill_operator.core.verdicts.rules.nodes import NODE_LOST
from mill_operator.core.verdicts.rules.placement import PLACEMENT
from mill_operator.core.verdicts.rules.readiness import READINESS, SLOW_PULL
from mill_operator.core.verdicts.rules.refusals import REFUSALS
from mill_operator.core.verdicts.rules.registries import VAGUE_CAUSES
from mill_operator.core.verdicts.rules.runs import ENDS
from mill_operator.core.verdicts.rules.starts import STARTS
from mill_operator.core.verdicts.rules.volumes import VOLUMES
from mill_operator.core.verdicts.rules.writes import INTERNAL, WRITES

TABLE: Final[tuple[Rule, ...]] = (
    *WRITES,
    *NAMED_CAUSES,
    NODE_LOST,  # before the vague causes: what the pod of a lost node reports of its image is old
    *VAGUE_CAUSES,
    *VOLUMES,
    *STARTS,
    *ENDS,
    *REFUSALS,
    *PLACEMENT,
    SLOW_PULL,
    *READINESS,
    INTERNAL,
)
BY_ID: Final = {rule.id: rule for rule in TABLE}
