"""How to go back where a tool owns a resource, and when it writes the next time."""

import shlex

from mill_api.gitops import FLUX, HELM


def way_back(owner: str) -> str:
    """Return how to go back where a tool owns a resource, which `mill_api.gitops` has named."""
    *_, kind, name = owner.split(" ")
    if owner.startswith(HELM):
        namespace, _, own = name.rpartition("/")
        return f"go back by `helm rollback {shlex.quote(own)} --namespace {shlex.quote(namespace)}`"
    if not owner.startswith(FLUX):
        command = f"argocd app rollback {shlex.quote(name)}"
        return f"revert the commit in Git, or use `{command}` where its automated sync is off"
    namespace, _, own = name.rpartition("/")
    command = f"flux reconcile {kind.lower()} {shlex.quote(own)} --namespace {shlex.quote(namespace)} --with-source"
    return f"revert the commit in Git; `{command}` does not wait for its next interval"


def next_write(owner: str) -> str:
    """Return what has a tool write what it manages again."""
    return "upgrade" if owner.startswith(HELM) else "sync"
