"""A service or task with a name that another owner has is not written, and no write changes an object of others."""

from types import SimpleNamespace
from typing import Any

import pytest

from mill_api.file_mounts import mounted_files
from mill_api.spec import Service
from mill_kube.connection import Request
from mill_kube.errors import ApiError, Conflict
from mill_kube.resources import BY_KIND, CLAIMS, DEPLOYMENTS, INGRESSES, REPLICA_SETS, SERVICES
from mill_objects.json import Json
from mill_operator.caches import CHILD_KINDS
from mill_operator.children import write_memory
from tests.support import writing
from tests.support.apiserver import action_of
from tests.support.reconciling import KEY, ReconcilerHarness, replica_set_body
from tests.support.writing import IMAGE

EVERYTHING = {
    **writing.EVERYTHING,
    "services": [
        {**writing.EVERYTHING["services"][0], "files": [{"path": "/etc/app.conf", "content": "a"}]},
        *writing.EVERYTHING["services"][1:],
    ],
}
CONFIG_MAP = mounted_files(
    "service", Service.model_validate(EVERYTHING["services"][0]), namespace=KEY.namespace, endpoints={}
).config_map
NAMES = {"PersistentVolumeClaim": "data", "CronJob": "migrate", "ConfigMap": CONFIG_MAP}
OTHER = {"name": "other", "image": IMAGE}
WITHOUT_VOLUME = {**EVERYTHING["services"][0], "volumes": []}


@pytest.fixture
def harness() -> ReconcilerHarness:
    return ReconcilerHarness()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(write_memory, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def theirs(kind: str, *, labels: dict[str, str] | None = None, owner: Json | None = None) -> Json:
    """Return an object of another owner, without a field that would conflict with one of ours."""
    owners = [{"kind": "Application", "name": "shop", "uid": "other", "controller": True}] if owner is None else [owner]
    meta = {"name": NAMES.get(kind, "web"), "namespace": KEY.namespace, "labels": labels or {}}
    return {"metadata": {**meta, "ownerReferences": owners}}


def problem_of(harness: ReconcilerHarness, kind: str) -> Json:
    status = harness.statuses[-1]
    name = "migrate" if kind == "CronJob" else "web"
    programs = status["tasks" if kind == "CronJob" else "services"]
    return next(each for each in programs if each["name"] == name)


def written(harness: ReconcilerHarness) -> set[str]:
    return {what for _, what in harness.writes}


EVERYTHING_WRITTEN = {
    "PersistentVolumeClaim data",
    f"ConfigMap {CONFIG_MAP}",
    "Deployment web",
    "Service web",
    "Ingress web",
    "CronJob migrate",
    "Deployment other",
}
OF_WEB = {"PersistentVolumeClaim data", f"ConfigMap {CONFIG_MAP}", "Deployment web", "Service web", "Ingress web"}


def with_other() -> Json:
    return {**EVERYTHING, "services": [*EVERYTHING["services"], OTHER]}


@pytest.mark.parametrize("kind", CHILD_KINDS)
async def test_a_service_with_a_taken_name_is_not_written_and_others_are(harness: ReconcilerHarness, kind: str) -> None:
    before = harness.server.put(BY_KIND[kind], theirs(kind))
    harness.change(spec=with_other())
    await harness.reconcile()
    left_out = {"CronJob migrate"} if kind == "CronJob" else OF_WEB
    assert {what for what in written(harness) if what[:3] != "Pod"} == {
        f"PersistentVolumeClaim {None}" if what == "PersistentVolumeClaim data" else what
        for what in EVERYTHING_WRITTEN - left_out
    }
    found = problem_of(harness, kind)
    assert found["reason"] == "NameTaken"
    assert found["message"] == f'{kind} "{before["metadata"]["name"]}" belongs to Application shop'
    assert harness.server.find(BY_KIND[kind], KEY.namespace, before["metadata"]["name"]) == before


@pytest.mark.parametrize("kind", CHILD_KINDS)
@pytest.mark.parametrize("how", ["merged", "in conflict"])
async def test_an_object_that_appears_after_the_lookup_is_not_changed(
    harness: ReconcilerHarness, kind: str, how: str
) -> None:
    made: list[Json] = []

    def appear(_: Request) -> None:
        if not made:
            made.append(harness.server.put(BY_KIND[kind], theirs(kind)))

    action = "create" if kind == "PersistentVolumeClaim" else "apply"
    harness.server.add_fault(action, BY_KIND[kind], times=1, meanwhile=appear)
    if how == "in conflict":
        # An API server that takes no notice of the version refuses by the fields of other managers.
        refusal = Conflict(409, "Conflict", "no", {"causes": [{"reason": "FieldManagerConflict"}]})
        harness.server.add_fault(action, BY_KIND[kind], times=1, error=refusal)
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    found = problem_of(harness, kind)
    assert found["reason"] == "NameTaken"
    assert found["message"].endswith(" belongs to Application shop")
    assert harness.server.find(BY_KIND[kind], KEY.namespace, NAMES.get(kind, "web")) == made[0]
    if kind in ("PersistentVolumeClaim", "Deployment", "Service"):
        assert "Ingress web" not in written(harness)
    if kind in ("PersistentVolumeClaim", "ConfigMap"):
        assert "Deployment web" not in written(harness)


async def test_an_object_that_appears_before_an_update_is_not_changed(harness: ReconcilerHarness) -> None:
    """Ours was deleted, and another has its name; the watch has reported neither."""
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    harness.server.remove(SERVICES, KEY.namespace, "web")
    made = harness.server.put(SERVICES, theirs("Service"))
    services = [{**EVERYTHING["services"][0], "port": 9090}]
    harness.change(spec={**EVERYTHING, "services": services}, generation=2)
    await harness.reconcile()
    assert problem_of(harness, "Service")["message"] == 'Service "web" belongs to Application shop'
    assert harness.server.find(SERVICES, KEY.namespace, "web") == made


async def test_objects_are_written_before_those_that_name_them(harness: ReconcilerHarness) -> None:
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    sent = [f"{action_of(each)} {each.resource.kind}" for each in harness.server.requests]
    order = [each for each in sent if each.startswith(("apply", "create P"))]
    assert order.index("create PersistentVolumeClaim") < order.index("apply Deployment")
    assert order.index("apply ConfigMap") < order.index("apply Deployment")
    assert order.index("apply Service") < order.index("apply Ingress")
    assert order.index("apply Deployment") < order.index("apply Service")
    looked_up = [index for index, each in enumerate(sent) if each in {f"get {kind}" for kind in CHILD_KINDS}]
    assert len(looked_up) == 6, "each name is looked up once"
    assert max(looked_up[:5]) < sent.index("create PersistentVolumeClaim"), "all names of a service before any write"


async def test_a_first_apply_has_no_force_and_a_later_one_has(harness: ReconcilerHarness) -> None:
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    first = harness.server.sent("apply")
    assert {each.query["force"] for each in first} == {None}
    assert [each.resource for each in harness.server.sent("create") if each.resource != BY_KIND["Event"]] == [CLAIMS]
    harness.server.requests.clear()
    services = [{**EVERYTHING["services"][0], "port": 9090}]
    harness.change(spec={**EVERYTHING, "services": services}, generation=2)
    await harness.reconcile()
    later = harness.server.sent("apply")
    assert {each.resource for each in later} == {DEPLOYMENTS, SERVICES, INGRESSES}
    assert {each.query["force"] for each in later} == {"true"}
    assert all(each.body["metadata"]["uid"] for each in later)


async def test_an_api_server_that_creates_no_object_with_a_version_is_asked_without_one(
    harness: ReconcilerHarness,
) -> None:
    refusal = Conflict(409, "Conflict", "version mismatch: no existing object was found")
    harness.server.add_fault("apply", when=lambda each: "resourceVersion" in each.body["metadata"], error=refusal)
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    assert {each.resource.kind for each in harness.server.sent("apply")} == {*CHILD_KINDS} - {"PersistentVolumeClaim"}
    assert all(harness.server.all(BY_KIND[kind]) for kind in CHILD_KINDS)
    assert {each.query["force"] for each in harness.server.sent("apply")} == {None}
    assert "reason" not in harness.service


async def test_what_left_the_spec_leaves_the_objects(harness: ReconcilerHarness) -> None:
    service = {**EVERYTHING["services"][0], "env": {"KEPT": "1", "GONE": "2"}}
    routes = [*service["routes"], {"host": "gone.example.com", "path": "/"}]
    harness.change(spec={"services": [{**service, "routes": routes}]})
    await harness.reconcile()
    harness.change(spec={"services": [{**service, "env": {"KEPT": "1"}}]}, generation=2)
    await harness.reconcile()
    deployment = harness.server.find(DEPLOYMENTS, KEY.namespace, "web")
    ingress = harness.server.find(INGRESSES, KEY.namespace, "web")
    assert deployment is not None
    assert ingress is not None
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in container["env"]] == ["KEPT", "PORT"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["www.example.com"]


async def test_an_update_with_a_taken_name_leaves_what_runs_as_it_is(
    harness: ReconcilerHarness, clock: list[float]
) -> None:
    harness.change(spec={"services": [WITHOUT_VOLUME]})
    await harness.reconcile()
    before = harness.server.find(DEPLOYMENTS, KEY.namespace, "web")
    harness.server.put(CLAIMS, theirs("PersistentVolumeClaim"))
    harness.server.requests.clear()
    without_route = {**EVERYTHING["services"][0], "routes": [], "port": 9090}
    harness.change(spec={"services": [without_route]}, generation=2)
    wait = await harness.reconcile()
    assert harness.writes == [], "nothing is written, and the Ingress is not deleted"
    assert harness.server.find(DEPLOYMENTS, KEY.namespace, "web") == before
    assert (harness.service["state"], harness.service["reason"]) == ("Failed", "NameTaken")
    assert wait is not None
    assert wait <= 30
    harness.server.requests.clear()
    clock[0] += 29
    await harness.reconcile()
    assert harness.server.requests == [], "it is looked at again after a while, and not at each event"
    clock[0] += 2
    await harness.reconcile()
    children = {BY_KIND[kind] for kind in CHILD_KINDS}
    assert [each.resource for each in harness.server.sent("get") if each.resource in children] == [CLAIMS]
    assert harness.writes == []
    harness.server.remove(CLAIMS, KEY.namespace, "data")
    clock[0] += 31
    await harness.reconcile()
    assert [what for _, what in harness.writes] == [
        "PersistentVolumeClaim None",
        "Deployment web",
        "Service web",
        "Ingress web",
    ]
    assert "reason" not in harness.service


async def test_a_deployment_waits_for_a_claim_that_is_refused(harness: ReconcilerHarness, clock: list[float]) -> None:
    refusal = ApiError(403, "Forbidden", "exceeded quota")
    fault = harness.server.add_fault("create", CLAIMS, error=refusal)
    harness.change(spec=EVERYTHING)
    for _ in range(2):
        await harness.reconcile()
        assert harness.server.find(DEPLOYMENTS, KEY.namespace, "web") is None
        assert harness.server.find(SERVICES, KEY.namespace, "web") is not None, "nothing of the Service names the claim"
    assert problem_of(harness, "Deployment")["reason"] == "Refused"
    harness.server.faults.remove(fault)
    clock[0] += 31
    await harness.reconcile()
    assert harness.server.find(DEPLOYMENTS, KEY.namespace, "web") is not None


ADDRESS = {"API": "http://${service.web.address}/"}
WEB = {"name": "web", "image": IMAGE, "port": 8080}
WITH_ADDRESS: Json = {
    "services": [{**OTHER, "env": ADDRESS}, WEB, {"name": "third", "image": IMAGE}],
    "tasks": [{"name": "migrate", "image": IMAGE, "env": ADDRESS}],
}


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "looked up"])
async def test_nothing_gets_the_address_of_a_service_of_others(
    harness: ReconcilerHarness, clock: list[float], cached: bool
) -> None:
    made = theirs("Service", labels=LABELS if cached else {})
    if cached:
        harness.observe(SERVICES, made)
    else:
        harness.server.put(SERVICES, made)
    harness.change(spec=WITH_ADDRESS)
    for _ in range(3):
        await harness.reconcile()
        assert written(harness) == {"Deployment third"}
        found = {each["name"]: each.get("message") for each in harness.statuses[-1]["services"]}
        assert found["web"] == 'Service "web" belongs to Application shop'
        assert found["other"] == f"{found['web']}, and the environment has its address"
        (task,) = harness.statuses[-1]["tasks"]
        assert (task["name"], task["reason"], task["message"]) == ("migrate", "NameTaken", found["other"])
        assert found["third"] is None
        clock[0] += 20
    harness.lose(SERVICES, "web") if cached else harness.server.remove(SERVICES, KEY.namespace, "web")
    clock[0] += 31
    await harness.reconcile()
    assert written(harness) == {
        "Deployment third",
        "Deployment web",
        "Service web",
        "Deployment other",
        "CronJob migrate",
    }
    assert all("reason" not in each for each in harness.statuses[-1]["services"])


async def test_an_update_with_the_address_of_a_service_of_others_leaves_what_runs_as_it_is(
    harness: ReconcilerHarness,
) -> None:
    harness.change(spec={"services": [OTHER]})
    await harness.reconcile()
    before = harness.server.find(DEPLOYMENTS, KEY.namespace, "other")
    harness.server.put(SERVICES, theirs("Service"))
    harness.server.requests.clear()
    harness.change(spec={"services": [{**OTHER, "env": ADDRESS}, WEB]}, generation=2)
    await harness.reconcile()
    assert harness.writes == []
    assert harness.server.find(DEPLOYMENTS, KEY.namespace, "other") == before
    assert [each["reason"] for each in harness.statuses[-1]["services"]] == ["NameTaken", "NameTaken"]


async def test_the_names_of_services_with_addresses_are_looked_up_once(harness: ReconcilerHarness) -> None:
    """Also where two have the addresses of one another."""
    ring = [{**OTHER, "port": 80, "env": ADDRESS}, {**WEB, "env": {"OTHER": "${service.other.address}"}}]
    harness.change(spec={"services": ring})
    await harness.reconcile()
    children = {BY_KIND[kind] for kind in CHILD_KINDS}
    looked_up = [(each.resource.kind, each.name) for each in harness.server.sent("get") if each.resource in children]
    assert sorted(looked_up) == [
        ("Deployment", "other"),
        ("Deployment", "web"),
        ("Service", "other"),
        ("Service", "web"),
    ]
    assert written(harness) == {"Deployment other", "Deployment web", "Service other", "Service web"}


LABELS = {"app.kubernetes.io/managed-by": "mill", "mill.dev/deployment": "mill", "mill.dev/service": "web"}


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "the watch is behind"])
async def test_an_orphan_with_our_labels_is_adopted(harness: ReconcilerHarness, cached: bool) -> None:
    """It was orphaned, or restored from a backup."""
    body = theirs("Service", labels=LABELS)
    body["metadata"]["ownerReferences"] = []
    orphan = harness.server.put(SERVICES, body)
    if cached:
        harness.observe(SERVICES, orphan)
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    found = harness.server.find(SERVICES, KEY.namespace, "web")
    assert found is not None
    assert found["metadata"]["uid"] == orphan["metadata"]["uid"]
    assert [each["kind"] for each in found["metadata"]["ownerReferences"]] == ["MillDeployment"]
    assert "reason" not in harness.service


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "the watch is behind"])
async def test_an_object_with_our_labels_and_another_controller_is_taken(
    harness: ReconcilerHarness, cached: bool
) -> None:
    made = harness.server.put(SERVICES, theirs("Service", labels=LABELS))
    if cached:
        harness.observe(SERVICES, made)
    before = harness.server.find(SERVICES, KEY.namespace, "web")
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    assert problem_of(harness, "Service")["message"] == 'Service "web" belongs to Application shop'
    assert written(harness).isdisjoint(OF_WEB)
    assert harness.server.find(SERVICES, KEY.namespace, "web") == before


async def test_an_own_object_without_its_labels_is_named_as_such(harness: ReconcilerHarness) -> None:
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    service = harness.server.find(SERVICES, KEY.namespace, "web")
    assert service is not None
    service["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "kustomize"}
    harness.server.put(SERVICES, service)
    harness.forget(SERVICES, "web")
    await harness.reconcile()
    message = 'Service "web" belongs to MillDeployment mill, and lacks its labels'
    assert problem_of(harness, "Service")["message"] == message


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "the watch is behind"])
async def test_no_ingress_leads_to_the_service_of_a_predecessor(harness: ReconcilerHarness, cached: bool) -> None:
    owner = {"kind": "MillDeployment", "name": "mill", "uid": "older", "controller": True}
    left = harness.server.put(SERVICES, theirs("Service", labels=LABELS, owner=owner))
    if cached:
        harness.observe(SERVICES, left)
    harness.change(spec=EVERYTHING)
    await harness.reconcile()
    assert harness.server.find(DEPLOYMENTS, KEY.namespace, "web") is not None
    assert harness.server.find(INGRESSES, KEY.namespace, "web") is None
    if cached:
        harness.lose(SERVICES, "web")
    else:
        harness.server.remove(SERVICES, KEY.namespace, "web")
    await harness.reconcile()
    assert harness.server.find(INGRESSES, KEY.namespace, "web") is not None


async def test_a_version_of_a_foreign_deployment_never_comes_back(harness: ReconcilerHarness) -> None:
    """Its labels are ours, and so are those of its ReplicaSet."""
    harness.observe(DEPLOYMENTS, theirs("Deployment", labels=LABELS))
    foreign = harness.server.find(DEPLOYMENTS, KEY.namespace, "web")
    assert foreign is not None
    template = {"spec": {"containers": [{"name": "web", "image": "evil"}]}}
    labels = {"mill.dev/template": "good"}
    harness.server.put(REPLICA_SETS, replica_set_body("a", template, foreign["metadata"]["uid"], **labels))
    resource = _resource(harness)
    assert await harness.reconciler._older_versions.template(resource, "web", "good") is None


def _resource(harness: ReconcilerHarness) -> Any:
    harness.change(spec=EVERYTHING)
    return harness.caches.mill_deployments.get(KEY)
