"""Words that people know from other tools: what mill has instead.

A hint never names a command that removes something, other than by its help: what a person meant by a word is a guess.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

REMOVING: Final = frozenset({"delete", "kill", "remove", "drain"})
"""Commands that no word is corrected to."""
_LISTS: Final = (
    "`mill status` lists services, tasks and nodes; `mill ps`, `mill secret list` and `mill volume list` the rest"
)
_STATUS: Final = "`mill status` shows services and what is wrong with them"
_DEPLOY: Final = "`mill deploy FILE` deploys a file"
_EDIT: Final = "change the file, and deploy it with `mill deploy FILE`; `mill diff FILE` shows the difference"
_CHECK: Final = "`mill validate FILE` checks a file"
_RENDER: Final = "`mill render FILE` prints a file as a MillDeployment"
_REMOVAL: Final = "`mill delete --help` says what deleting a deployment removes, and what stays"
_ENDING: Final = "set `replicas = 0` in the file to stop a service; `mill kill --help` says how to stop a run"
_LOADS: Final = "`mill nodes` and `mill ps` show CPU and memory of nodes and runs"
_TASKS: Final = "`mill spawn TASK` runs a task, `mill ps` lists the runs"
_FOLLOW: Final = "`mill watch` follows a rollout, `mill logs NAME --follow` the output of a service or run"
_TARGET: Final = "--address or --context selects the gateway, --namespace and --name the deployment"
_NAMESPACES: Final = "`kubectl get namespaces` lists namespaces; --namespace selects one"
_BACK: Final = "`mill rollback` goes back to an earlier revision; `mill history` lists them"
_ROLLOUTS: Final = (
    "`mill watch` follows a rollout, `mill history` lists the last ones, `mill rollback` goes back to an earlier one"
)
_HELP: Final = "`mill --help` lists the commands, `mill COMMAND --help` describes one"

_COMMANDS: Final = {
    "list ls get show services service svc pods pod deployments deployment all": _LISTS,
    "describe inspect info health problems": _STATUS,
    "events event": "`mill status` shows problems, `mill watch` the events of a rollout, `mill history` the last ones",
    "up apply create release launch push start add install": _DEPLOY,
    "edit set patch update upgrade sync replace env": _EDIT,
    "scale autoscale": "set `replicas` in the file, and deploy it with `mill deploy FILE`",
    "rollout rollouts": _ROLLOUTS,
    "undo revert": _BACK,
    "destroy down uninstall undeploy teardown rm del purge prune clean": _REMOVAL,
    "stop suspend terminate cancel abort": _ENDING,
    "job jobs task tasks runs trigger": _TASKS,
    "top metrics usage": _LOADS,
    "tail follow wait": _FOLLOW,
    "plan preview dry-run": "`mill diff FILE` shows what a deploy would change",
    "check lint test verify": _CHECK,
    "format tidy": "`mill fmt FILE` puts a .mill file into its canonical layout",
    "template convert export manifest manifests": _RENDER,
    "config context contexts use use-context": _TARGET,
    "namespace namespaces ns project projects": _NAMESPACES,
    "login auth token logout": "set MILL_TOKEN to a token of the gateway, or use --token-file; for images, "
    "`mill registry login HOST`",
    "build": "mill deploys images that exist: build and push one, and name it in the file",
    "cordon uncordon": "use `kubectl cordon NODE` and `kubectl uncordon NODE`",
    "port-forward portforward proxy tunnel": "`mill forward SERVICE` forwards a port of this machine to a service",
    "ssh shell sh bash attach console": "`mill exec SERVICE` opens a shell in a pod of a service",
    "url browse address": "`mill open SERVICE` opens a service in the browser",
    "help man": _HELP,
}
_SECRET: Final = {
    "ls show-all": "`mill secret list` lists the names of the secrets",
    "create add put update edit write": "`mill secret set NAME` sets a secret",
    "show read view cat describe": "`mill secret get NAME` prints the value of a secret",
    "rm remove unset del destroy": "`mill secret delete --help` says what deleting a secret does",
}
_VOLUME: Final = {
    "ls get show describe": "`mill volume list` lists the volumes",
    "create add": "a volume is created for the `volume` block of a service, by `mill deploy FILE`",
    "rm remove del destroy": "`mill volume delete --help` says what deleting a volume does",
}
_OPTIONS: Final = {
    "--dry-run --plan": "`mill diff FILE` shows what a deploy would change",
    "-o --output --format": "--json prints JSON",
    "--wait --watch -w --follow": "`mill deploy` waits for the rollout; `mill watch` follows one",
    "--no-wait --detach -d": "--timeout limits the wait; the rollout continues without the command",
    "--replicas --image --set -e --env": "set it in the file, and deploy it with `mill deploy FILE`",
    "--kubeconfig": "set KUBECONFIG, and select a context of it with --context",
    "--server --host --url --endpoint -a": "--address is the address of the gateway",
    "--app --deployment": "--name is the name of the deployment",
    "--lines --last": "--tail is the number of lines",
}


def _by_word(table: Mapping[str, str]) -> dict[str, str]:
    return {word: advice for words, advice in table.items() for word in words.split()}


COMMANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "mill": _by_word(_COMMANDS),
    "secret": _by_word(_SECRET),
    "volume": _by_word(_VOLUME),
}
"""What to say of a word, by the name of the group in which it was given."""
OPTIONS: Final = _by_word(_OPTIONS)


def nearest_command(word: str, group: str, known: Iterable[str]) -> tuple[str | None, str | None]:
    """Return the command that a word is a misspelling of, and the hint for a word of other tools; None without one."""
    others = COMMANDS.get(group, {})
    if (advice := others.get(word.lower())) is not None:
        return None, advice
    near = difflib.get_close_matches(word.lower()[:100], [*known, *others], 1, 0.7)
    if not near:
        return None, None
    if near[0] in others:
        return None, others[near[0]]
    return (None, None) if near[0] in REMOVING else (near[0], None)


def option_advice(option: str) -> str | None:
    """Return the hint for an option of other tools."""
    return OPTIONS.get(option)
