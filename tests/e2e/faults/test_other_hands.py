"""Others write to what is the operator's: what is theirs stays, what is the operator's is put back."""

from dataclasses import replace

from tests.e2e.conftest import Namespace, wait_for

from .bystanders import MARK, meddled
from .operator_process import OperatorProcess
from .scenario import AFTER, Outcome, Rollout, settled


def test_somebody_changes_everything_all_the_time(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    with meddled(namespace) as meddler:
        seen = Rollout(namespace, AFTER).outcome()
    assert _uncounted(seen) == _uncounted(undisturbed)
    assert meddler.turns > 10
    for kind in ("milldeployment/mill", "deployment/web", "service/web"):
        assert MARK in namespace.get(kind)["metadata"]["labels"], "what others wrote is theirs"


def test_objects_are_deleted_during_a_rollout(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    rollout.wait_until_told("web", "scheduled")
    namespace.kubectl("delete", "deployment/web", "service/web", "--wait=false")
    namespace.kubectl("delete", "pods", "-l", "mill.dev/service in (worker,broken)", "--wait=false")
    assert rollout.outcome() == _made_anew(undisturbed, "web")


def test_objects_are_edited_during_a_rollout(
    namespace: Namespace, operator: OperatorProcess, undisturbed: Outcome
) -> None:
    """Pods of an edited version carry the right one's label, and stand beside its pods until those are available."""
    settled(namespace)
    rollout = Rollout(namespace, AFTER.replace('"2s"', '"6s"'))
    rollout.wait_until_told("web", "scheduled")
    with operator.paused():
        namespace.kubectl("scale", "deployment/web", "--replicas=5")
        _edit(namespace, "web")
        wait_for("a pod of the edited version", lambda: _wrong_pods(namespace, "web"))
    assert _uncounted(rollout.outcome()) == _uncounted(undisturbed)
    assert _is_put_back(namespace, "web", "web:2")
    assert namespace.get("deployment", "web")["spec"]["replicas"] == 2


def test_objects_are_edited_after_a_rollout(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    assert rollout.outcome() == undisturbed
    # A pod that is no longer new: Kubernetes itself lets those go that have not been ready for ten seconds.
    namespace.kubectl("wait", "deployment/kept", "--for=jsonpath={.status.availableReplicas}=1", "--timeout=60s")
    _edit(namespace, "kept")
    namespace.kubectl("scale", "deployment/web", "--replicas=5")
    wait_for("what was edited to be put back", lambda: _is_put_back(namespace, "kept", "web:1"))
    wait_for("replicas to be put back", lambda: namespace.get("deployment", "web")["spec"]["replicas"] == 2)
    wait_for("all to be as before", lambda: _uncounted(rollout.outcome()) == _uncounted(undisturbed))


def test_objects_are_deleted_after_a_rollout(namespace: Namespace, undisturbed: Outcome) -> None:
    settled(namespace)
    rollout = Rollout(namespace, AFTER)
    assert rollout.outcome() == undisturbed
    pods = namespace.ready_pods("web")
    namespace.kubectl("delete", "deployment/web", "service/web", "--wait=false")
    namespace.kubectl("delete", "pods", "-l", "mill.dev/service in (worker,broken)", "--wait=false")
    wait_for("new pods", lambda: len(namespace.ready_pods("web").keys() - pods) == 2)
    wait_for("all to be as before", lambda: rollout.outcome() == _made_anew(undisturbed, "web"))


def _made_anew(undisturbed: Outcome, service: str) -> Outcome:
    """Return the same outcome with a Deployment that was written once only."""
    return replace(undisturbed, children={**undisturbed.children, f"Deployment {service}": 1})


def _uncounted(seen: Outcome) -> Outcome:
    """Leave out how often Deployments were written: who edits one, or no more than its annotations, is counted too."""
    return replace(seen, children=dict.fromkeys(seen.children))


def _edit(namespace: Namespace, name: str) -> None:
    namespace.kubectl("patch", f"service/{name}", "-p", '{"spec": {"selector": {"mill.dev/service": "nobody"}}}')
    namespace.kubectl("set", "image", f"deployment/{name}", f"{name}={namespace.registry}/web:missing")


def _is_put_back(namespace: Namespace, name: str, image: str) -> bool:
    deployment, service = namespace.get("deployment", name)["spec"], namespace.get("service", name)["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    right = container["image"] == f"{namespace.registry}/{image}"
    return right and service["selector"]["mill.dev/service"] == name


def _wrong_pods(namespace: Namespace, name: str) -> list[str]:
    """Return the pods of an edited version that have had the time to fail."""
    return [
        pod["metadata"]["name"]
        for pod in namespace.pods(name)
        if pod["spec"]["containers"][0]["image"].endswith("web:missing")
        and pod["status"].get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("message")
    ]
