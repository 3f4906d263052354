"""The codes of errors that the command line itself reports with `--json`, for its documentation."""

from collections.abc import Mapping
from typing import Final

ERROR_CODES: Final[Mapping[str, str]] = {
    "wrong_usage": "the command line cannot be run",
    "cannot_connect": "no connection to the gateway",
    "no_answer": "the gateway did not answer; it may have received the request",
    "not_a_gateway": "another server answered",
    "unexpected_answer": "the gateway's answer cannot be read",
    "redirected": "the gateway redirected to another origin",
    "http_error": "an answer with an error that is not the gateway's; `status` has the HTTP status",
    "connection_lost": "the connection was lost; what was started continues",
    "timeout": "the time of `--timeout` is over; what was started continues",
    "interrupted": "Ctrl-C; what was started continues",
    "canceled": "the answer to a question was no, or there is no terminal to ask on",
    "invalid_mill_file": "the file has problems; `diagnostics` has all of them",
    "empty_mill_file": "the file has neither a service nor a task",
    "file_too_large": "the file is larger than its form may be",
    "cannot_read_file": "the file cannot be read",
    "cannot_write_output": "standard output cannot be written",
    "no_logs": "there are no logs of this name",
    "invalid_vars_file": "a file of `--vars` has a line that is no `NAME=VALUE`",
    "run_failed": "the run that was waited for has failed",
    "gateway_too_old": "the gateway is of an earlier release, which cannot do this",
    "kubectl_missing": "kubectl is not installed",
    "unknown_failure_code": "there is no such failure code",
    "failed": "anything else",
}
"""Every code with its meaning. A code is never renamed."""
