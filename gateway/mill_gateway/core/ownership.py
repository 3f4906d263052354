"""How to go back where a GitOps tool owns a resource."""

import shlex

from mill_api.gitops import FLUX


def way_back(owner: str) -> str:
    """Return how to go back where a GitOps tool owns a resource, which `mill_api.gitops` has named."""
    *_, kind, name = owner.split(" ")
    if not owner.startswith(FLUX):
        command = f"argocd app rollback {shlex.quote(name)}"
        return f"revert the commit in Git, or use `{command}` where its automated sync is off"
    namespace, _, own = name.rpartition("/")
    command = f"flux reconcile {kind.lower()} {shlex.quote(own)} --namespace {shlex.quote(namespace)} --with-source"
    return f"revert the commit in Git; `{command}` does not wait for its next interval"
