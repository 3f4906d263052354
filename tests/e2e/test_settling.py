"""A success lasts, a service that only waits does not fail, and what fails later is reported.

The suite's operator has a settling window of one second; services that need a longer one say so. `make soak-settle`
repeats these cases, and more of them, with the default window.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from hack import images

from .conftest import Namespace, wait_for

GOOD = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  cpu      = 0.02
  replicas = 2
}
"""
REGRESSION = "web failed after"


def exiting(seconds: int, settle: int, replicas: int = 1) -> str:
    """Return a service that listens at once and exits after so many seconds."""
    lines = f'  command = ["/web", "--exit-after", "{seconds}s"]\n  update {{ settle = "{settle}s" }}\n}}'
    return GOOD.replace("replicas = 2", f"replicas = {replicas}").replace("}", lines)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def transition(namespace: Namespace, service: str, phase: str) -> dict[str, Any]:
    """Return the first transition of a service to this phase."""
    found = namespace.service(service).get("transitions", ())
    return next(each for each in found if each["phase"] == phase)


def test_a_program_that_exits_inside_its_window_is_failed_within_the_rollout(namespace: Namespace) -> None:
    done = namespace.deploy(exiting(5, settle=10))
    assert done.code == 1, done
    assert done.stdout.splitlines()[-2:] == [
        "  web: failed: container exited with code 1",
        "  deploy finished with errors",
    ]
    assert transition(namespace, "web", "healthy")["seq"] < transition(namespace, "web", "failed")["seq"]
    assert namespace.status()["rollout"]["success"] is False


def test_an_update_that_exits_inside_its_window_costs_no_old_pod(namespace: Namespace) -> None:
    assert namespace.deploy(GOOD).code == 0
    old = namespace.ready_pods("web")
    done = namespace.deploy(exiting(5, settle=10, replicas=2))
    assert done.code == 1, done
    assert old.items() <= namespace.ready_pods("web").items()
    replicas = namespace.service("web")["replicas"]
    assert (replicas["desired"], replicas["serving"] >= 2) == (2, True)


def test_a_program_that_exits_after_its_window_is_a_regression_of_a_success(namespace: Namespace) -> None:
    done = namespace.deploy(exiting(7, settle=3))
    assert done.code == 0, done
    events = done.stdout
    rollout = wait_for("the failure", lambda: _regressed(namespace))
    assert (rollout["success"], [each["service"] for each in rollout["regressed"]]) == (True, ["web"])
    assert rollout["regressed"][0]["reason"] == "container exited with code 1"
    assert "succeeded, then web failed after" in namespace.mill("history").stdout
    assert REGRESSION in namespace.mill("status").stdout
    watched = namespace.mill("watch")
    assert watched.code == 1, watched
    assert watched.stdout.startswith(events), "what was sent stays as it is"
    assert REGRESSION in watched.stdout.removeprefix(events)


def test_a_program_that_exits_inside_its_window_is_not_green_by_a_second_deploy(namespace: Namespace) -> None:
    text = exiting(5, settle=10)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(namespace.deploy, text)
        wait_for("the window to begin", lambda: namespace.service("web").get("settlingSince"))
        second = namespace.deploy(text)
    assert (first.result().code, second.code) == (1, 1), (first.result(), second)
    assert "succeeded" not in namespace.mill("history").stdout


def test_an_app_that_exits_until_its_database_listens_is_renewed_once_and_green(namespace: Namespace) -> None:
    tag = f"needs-{namespace.name}"  # a node may have an older program under a tag that was pushed before
    images.push_sample(namespace.registry, tag)
    app = GOOD.replace('"web"', '"app"').replace("replicas = 2", 'command = ["/web", "--needs", "db:8080"]')
    app = app.replace("}", '  env { DATABASE_HOST = "db" }\n}')
    db = GOOD.replace('"web"', '"db"').replace("replicas = 2", 'command = ["/web", "--start-after", "20s"]')
    with ThreadPoolExecutor(1) as pool:
        deployed = pool.submit(namespace.deploy, (app + db).replace("web:1", f"web:{tag}"))
        wait_for("patience", lambda: namespace.service("app").get("message", "").startswith("waiting for db: "))
        assert namespace.service("app")["state"] == "Suspect"
        done = deployed.result()
    assert done.code == 0, done
    assert namespace.pods_created("app") == 2
    assert namespace.pods_created("db") == 1


def test_a_service_after_another_one_begins_when_that_one_has_settled(namespace: Namespace) -> None:
    db = GOOD.replace('"web"', '"db"').replace("}", '  update { settle = "4s" }\n}')
    web = GOOD.replace("}", '  after = ["db"]\n}')
    assert namespace.deploy(web + db).code == 0
    created = namespace.get("deployment", "web")["metadata"]["creationTimestamp"]
    settled_at = moment(namespace.service("db")["settledAt"])
    assert moment(created) + timedelta(seconds=1) > settled_at, "the API server counts whole seconds"
    old = namespace.ready_pods("web")
    done = namespace.deploy(web.replace("web:1", "web:2") + db.replace("web:1", "web:missing"))
    assert done.code == 1, done
    assert sorted(done.stdout.splitlines()) == [
        "  db:  failed: image pull failed: tag not found",
        "  deploy finished with errors",
        "  web: failed: not begun: db has failed: image pull failed: tag not found",
    ]
    assert namespace.service("web")["reason"] == "NotBegun"
    assert namespace.ready_pods("web") == old
    fixed = namespace.deploy(web.replace("web:1", "web:2") + db.replace("web:1", "web:2"))
    assert fixed.code == 0, fixed
    new = [f"{namespace.registry}/web:2"]
    wait_for("the old pods to go", lambda: namespace.service("web")["servingImages"] == new)


def test_a_deploy_with_a_time_limit_ends_and_its_rollout_does_not(namespace: Namespace) -> None:
    slow = GOOD.replace("}", '  update { settle = "8s" }\n}')
    done = namespace.deploy(slow, "--timeout", "3s")
    assert done.code == 3, done
    assert "mill watch" in done.stderr
    assert namespace.status()["rollout"].get("finishedAt") is None
    watched = namespace.mill("watch")
    assert watched.code == 0, watched
    assert namespace.status()["rollout"]["success"] is True


def _regressed(namespace: Namespace) -> dict[str, Any] | None:
    rollout: dict[str, Any] = namespace.status()["rollout"]
    return rollout if rollout.get("regressed") else None
