"""Limits of what the operator keeps, writes and reports. A status of 200 services must fit into one object."""

from typing import Final

MAX_SPEC_BYTES: Final = 1024 * 1024
"""Bytes of a spec as JSON, unless a setting says otherwise. etcd takes 1.5 MiB of an object, status included."""
SPEC_PROBLEMS: Final = 50
"""How many problems of a refused spec are reported."""
SPEC_PROBLEMS_LENGTH: Final = 8192
"""Characters of all reported problems of a refused spec together."""
SPEC_WARNINGS: Final = 20
"""How many warnings of an accepted spec are reported."""
SPEC_WARNING_LENGTH: Final = 500
"""Characters of a warning."""
RESTART_LENGTH: Final = 256
"""Characters of a restart's value, which all pods of the service carry. A longer one is replaced by its hash."""

WRITE_PROBLEM_LENGTH: Final = 2048
"""Characters of the API server's reason for refusing an object. It may repeat the whole object."""
EVENT_BYTES: Final = 1024
"""Bytes of an Event's message. The API server takes no more."""
CONDITION_BYTES: Final = 1024
"""Bytes of a condition's message."""
SUMMARY_LENGTH: Final = 100
"""Characters of the message of Ready, a column of `kubectl get md`: a longer one breaks the table of everybody else."""
TRACEBACK_LENGTH: Final = 8000
"""Characters of a traceback in the log: its last ones."""

EDIT_VALUE_BYTES: Final = 100
"""Bytes of a value, or of a field manager's name, in the report of an edit."""
EDIT_FIELD_BYTES: Final = 300
"""Bytes of a field with its values in the report of an edit."""
EDIT_BYTES: Final = 500
"""Bytes of all changed fields in the report of an edit."""
PUT_BACK_LISTED: Final = 20
"""How many edits that were put back the current rollout lists."""
PUT_BACK_KEPT: Final = 5
"""How many of them the history keeps of each rollout before."""

UPDATES_AT_ONCE: Final = 10
"""How many services are updated at once after a change of the operator, over all MillDeployments."""

SCHEDULED_TRANSITIONS: Final = 5
"""How many `scheduled` transitions a service may have in a rollout."""
TRANSITIONS: Final = 20
"""After this many transitions of a service in a rollout, only verdicts are recorded, up to twice as many."""
EVIDENCE_LENGTH: Final = 2048
"""Characters of evidence of one service."""
TOTAL_EVIDENCE_LENGTH: Final = 64 * 1024
"""Characters of evidence of all services together."""

TEXT_BYTES: Final = 2048
"""Bytes kept of a foreign text. A kubelet's message can have 4096, and a status with many services must stay small."""
CAUSE_BYTES: Final = 200
"""Bytes of a cause in a message, which is one line on a terminal."""
DETAIL_BYTES: Final = 300
"""Bytes of the detail of a reason, which is one line on a terminal."""
NAME_BYTES: Final = 253
"""Bytes of a foreign name or reason. No name of an object is longer."""
RUN_MESSAGE_LENGTH: Final = 200
"""Characters of the message of a run, and of its detail."""
KUBELET_LOG_BYTES: Final = 2048
"""Bytes of the end of a log that the kubelet reports at most."""
