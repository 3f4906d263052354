"""Command lines of kubectl, and what its errors mean here."""

import shutil
from typing import Final

from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output.text import one_line

_LONGEST: Final = 300
"""Characters shown of a line of kubectl's."""


def kubectl(options: Options, namespace: str, command: str) -> list[str]:
    """Return the beginning of a command line, in the caller's context. Raise `CliError` without kubectl.

    `command` is the command of mill that needs it.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise CliError(
            Exit.CANNOT_CONNECT,
            f"`mill {command}` needs kubectl, which is not installed",
            "install kubectl (https://kubernetes.io/docs/tasks/tools/) with a kubeconfig for the cluster",
            kind="kubectl_missing",
        )
    context = [f"--context={options.context}"] if options.context else []
    return [program, *context, f"--namespace={namespace}"]


def line_of(text: str) -> str:
    """Return a line that kubectl wrote: cut, printable, without the time and source of its log."""
    line = one_line(text[: 4 * _LONGEST])
    if line[:1] in ("E", "W") and line[1:5].isdigit():
        line = line.partition("] ")[2] or line
    return line.removeprefix("error: ")[:_LONGEST]


def hints(problem: str, options: Options) -> list[str]:
    """Return what to do about an error of kubectl's."""
    lowered = problem.lower()
    if "forbidden" in lowered:
        return ["kubectl uses your own rights: `pods/portforward` and `pods/exec`, not those of the gateway"]
    if any(each in lowered for each in ("notfound", "not found", "refused", "no such host", "does not exist")):
        if options.context:
            return [f"check that the context {options.context} is the cluster of the gateway"]
        return ["the current kubeconfig context may be another cluster than the gateway's: choose one with --context"]
    return []
