"""The chart's admission policies: they accept what this release and the one before write, and refuse more rights.

Everything is sent by the tokens of the components' own accounts to the real API server, mostly as a dry run.
"""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.cluster import Cluster
from hack.install.releases import PREVIOUS, check_out
from mill_api import names
from mill_api.manifests import PodOptions, pod_spec
from mill_api.owner import Owner
from mill_api.place import Place
from mill_api.pod_permissions import PodPermissions
from mill_api.revisions import new_revision
from mill_api.spec import Task
from mill_gateway.core.registries import new_registries_secret, with_registry
from mill_gateway.core.secret import new_secret
from mill_gateway.core.spawning import RunRequest, job_from_template, job_of_file, job_of_image
from mill_objects.key import Key
from tests.e2e.chart.helm import render
from tests.e2e.conftest import Finished, wait_for

from .policies import Components, components, is_refused, secret

GOLDEN = Path("tests/unit/mill_operator/golden")
HERE = Path(__file__).parents[3]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def mill(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Components]:
    with components(cluster, tmp_path_factory.mktemp("policies")) as made:
        yield made


def golden(root: Path, namespace: str) -> list[Json]:
    """Return all objects of a release's golden files, in this namespace."""
    files = sorted((root / GOLDEN).glob("*.yaml"))
    assert len(files) >= 8
    found = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    for each in found:
        each["metadata"]["namespace"] = namespace
    return found


@pytest.fixture(scope="module", params=["this release", "the release before"])
def written(request: pytest.FixtureRequest, mill: Components) -> list[Json]:
    """What a release writes."""
    return golden(HERE if request.param == "this release" else check_out(PREVIOUS), mill.shop.name)


def template_of(body: Json) -> Json:
    """Return the pod template of an object."""
    spec: Json = body["spec"]["jobTemplate"]["spec"] if body["kind"] == "CronJob" else body["spec"]
    found: Json = spec["template"]
    return found


def test_all_that_the_operator_renders_is_accepted(mill: Components, written: list[Json]) -> None:
    kinds = {each["kind"] for each in written}
    added = {"ConfigMap"}  # since the release before
    assert kinds | added == {"Deployment", "Service", "Ingress", "CronJob", "PersistentVolumeClaim", *added}
    for each in written:
        done = mill.send("operator", "apply", each)
        assert done.code == 0, done.stderr


def test_all_runs_that_the_gateway_creates_are_accepted(mill: Components, written: list[Json]) -> None:
    cron_job = next(each for each in written if each["kind"] == "CronJob")
    cron_job["metadata"]["uid"] = "0123-uid"
    owner = Owner(Key(mill.shop.name, "mill"), "0123-uid")
    request = RunRequest(image="web:1", env={"A": "${secret(a)}"}, command=("a",))
    task = Task(
        name="migrate",
        image="web:2",
        env={"URL": "postgres://${secret(db.user)}@db"},
        user=1000,
        group=1000,
        pull="registry",
        place=Place(tolerate=["gpu"]),
    )
    permitted = PodOptions(restricted=True, permissions=PodPermissions(tolerations=("gpu",)))
    for job in (
        job_from_template(cron_job, "migrate-1", RunRequest(env={"A": "b"})),
        job_of_image(owner, "task-1", "task-1-2", request, options=PodOptions(restricted=True)),
        job_of_image(owner, "task-1", "task-1-2", request, options=PodOptions(service_account="default")),
        job_of_file(owner, task, "migrate-1", request, endpoints={}, options=permitted),
    ):
        done = mill.send("gateway", "create", job)
        assert done.code == 0, done.stderr


def test_the_api_server_finds_nothing_wrong_in_the_expressions(mill: Components) -> None:
    def checked() -> list[Json]:
        found = mill.own.items("validatingadmissionpolicies")
        ours = [each for each in found if each["metadata"]["name"].startswith(f"{mill.own.name}-mill-")]
        return ours if all("observedGeneration" in each.get("status", {}) for each in ours) else []

    policies = wait_for("the checks", checked)
    names_of = [each["metadata"]["name"].rpartition("-")[2] for each in policies]
    assert sorted(names_of) == ["namespaces", "nodes", "owners", "pods", "secrets", "services"]
    for each in policies:
        assert each["status"]["typeChecking"].get("expressionWarnings", []) == []
        assert each["spec"]["failurePolicy"] == "Fail"


def test_the_secret_of_a_namespace_is_accepted(mill: Components) -> None:
    done = mill.send("gateway", "create", new_secret(mill.shop.name, "a", "b"))
    assert done.code == 0, done.stderr


def test_credentials_of_registries_are_accepted(mill: Components) -> None:
    body = new_registries_secret(mill.shop.name, with_registry(None, "ghcr.io", "ci", "x"))
    done = mill.send("gateway", "create", body)
    assert done.code == 0, done.stderr


def service(namespace: str, **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "mill"},
            "ownerReferences": [
                {"apiVersion": "mill.dev/v1alpha1", "kind": "MillDeployment", "name": "mill", "uid": "u"}
            ],
        },
        "spec": {"ports": [{"name": "main", "port": 80}], **spec},
    }


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "LoadBalancer"}, "load balancers only with the chart's workloads.outside"),
        ({"type": "NodePort"}, "load balancers only with the chart's workloads.outside"),
        ({"type": "ExternalName", "externalName": "example.com"}, "load balancers only"),
        ({"externalIPs": ["192.0.2.7"]}, "external addresses"),
    ],
    ids=["load balancer", "port of nodes", "name elsewhere", "external address"],
)
def test_services_stay_inside_the_cluster(mill: Components, spec: Json, message: str) -> None:
    assert is_refused(mill.send("operator", "apply", service(mill.shop.name, **spec)), message)


TOKEN_OF_ANOTHER = {
    "type": "kubernetes.io/service-account-token",
    "metadata": {"annotations": {"kubernetes.io/service-account.name": "clusterrole-aggregation-controller"}},
}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mill-secrets", TOKEN_OF_ANOTHER, "only Secrets of the types Opaque and"),
        ("mill-registries", TOKEN_OF_ANOTHER, "only Secrets of the types Opaque and"),
        ("mill-secrets", {"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}}, "types Opaque and"),
        ("other", {}, "only two Secrets in a namespace, mill-secrets and mill-registries"),
    ],
    ids=["token of a ServiceAccount", "such a token beside it", "certificate", "another name"],
)
def test_the_gateway_creates_no_other_secret(mill: Components, name: str, content: Json, message: str) -> None:
    assert is_refused(mill.send("gateway", "create", secret(mill.shop.name, name, **copy.deepcopy(content))), message)


def test_a_token_is_refused_where_there_are_accounts_with_all_rights(mill: Components) -> None:
    token = secret("kube-system", "mill-secrets", **copy.deepcopy(TOKEN_OF_ANOTHER))
    assert is_refused(mill.send("gateway", "create", token), "Mill may")
    assert is_refused(mill.send("gateway", "create", secret("kube-system", "mill-secrets")), "kube-*")


def _volume(**source: Any) -> Callable[[Json], None]:
    return lambda pod: pod.update(volumes=[{"name": "v", **source}])


def _security(**settings: Any) -> Callable[[Json], None]:
    return lambda pod: pod["containers"][0]["securityContext"].update(settings)


def _variable(**source: Any) -> Callable[[Json], None]:
    return lambda pod: pod["containers"][0].update(env=[{"name": "A", "valueFrom": source}])


def _init_container(pod: Json) -> None:
    added = {**pod["containers"][0], "name": "init", "securityContext": {"privileged": True}}
    pod["initContainers"] = [added]


POD_ATTACKS: dict[str, tuple[Callable[[Json], Any], str]] = {
    "hostPID": (lambda pod: pod.update(hostPID=True), "share namespaces of their node: hostPID"),
    "hostNetwork": (lambda pod: pod.update(hostNetwork=True), "share namespaces of their node: hostNetwork"),
    "hostIPC": (lambda pod: pod.update(hostIPC=True), "share namespaces of their node: hostIPC"),
    "hostPort": (
        lambda pod: pod["containers"][0].update(ports=[{"containerPort": 80, "hostPort": 80}]),
        "ports of their node: web: 80",
    ),
    "hostPath": (
        _volume(hostPath={"path": "/"}),
        "folders of their node, or storage without a PersistentVolumeClaim: v",
    ),
    "nfs": (_volume(nfs={"server": "a", "path": "/"}), "v: nfs"),
    "csi": (_volume(csi={"driver": "a", "nodePublishSecretRef": {"name": "other"}}), "v: csi"),
    "privileged": (
        _security(privileged=True, allowPrivilegeEscalation=True),
        "no privileges on their node: web: privileged",
    ),
    "privileged init container": (_init_container, "no privileges on their node: init: privileged"),
    "capability": (_security(capabilities={"add": ["SYS_ADMIN"]}), "web: capability SYS_ADMIN"),
    "seccomp": (_security(seccompProfile={"type": "Unconfined"}), "web: seccompProfile"),
    "AppArmor": (_security(appArmorProfile={"type": "Unconfined"}), "web: appArmorProfile"),
    "SELinux": (_security(seLinuxOptions={"type": "spc_t"}), "web: seLinuxOptions"),
    "seccomp of the pod": (
        lambda pod: pod.update(securityContext={"seccompProfile": {"type": "Unconfined"}}),
        "no privileges on their node: seccompProfile",
    ),
    "sysctl": (
        lambda pod: pod.update(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "sysctl kernel.msgmax",
    ),
    "probe of another host": (
        lambda pod: pod["containers"][0].update(livenessProbe={"httpGet": {"host": "10.0.0.1", "port": 80}}),
        "connect to other addresses than their own: web: 10.0.0.1",
    ),
    "hook of another host": (
        lambda pod: pod["containers"][0].update(lifecycle={"preStop": {"tcpSocket": {"host": "a", "port": 80}}}),
        "connect to other addresses than their own: web: a",
    ),
    "ServiceAccount": (lambda pod: pod.update(serviceAccountName="creator"), "may not have this ServiceAccount"),
    "ServiceAccount by its former field": (
        lambda pod: pod.update(serviceAccount="creator"),
        "may not have this ServiceAccount",
    ),
    "token": (lambda pod: pod.update(automountServiceAccountToken=True), "token of a ServiceAccount: automount"),
    "token by default": (lambda pod: pod.pop("automountServiceAccountToken"), "token of a ServiceAccount: automount"),
    "projected token": (
        _volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}),
        "token of a ServiceAccount: v: serviceAccountToken",
    ),
    "variable": (_variable(secretKeyRef={"name": "db", "key": "a"}), "refer to no Secret but mill-secrets"),
    "variables": (
        lambda pod: pod["containers"][0].update(envFrom=[{"secretRef": {"name": "db"}}]),
        "refer to no Secret but mill-secrets",
    ),
    "Secret": (_volume(secret={"secretName": "db"}), "mount no Secret but mill-secrets"),
    "projected Secret": (
        _volume(projected={"sources": [{"secret": {"name": "db"}}]}),
        "mount no Secret but mill-secrets",
    ),
}


def container() -> Json:
    return {"name": "web", "image": "web:1", "securityContext": {"allowPrivilegeEscalation": False}}


def deployment(namespace: str) -> Json:
    """Return a Deployment as the operator writes it, without any pods."""
    owner, labels = Owner(Key(namespace, "mill"), "0123-uid"), {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(container(), service_account=None)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": owner.labels("web"),
            "ownerReferences": [owner.reference(controller=True)],
        },
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def run(namespace: str) -> Json:
    """Return the Job of a run as the gateway creates it."""
    owner = Owner(Key(namespace, "mill"), "0123-uid")
    made = job_of_image(owner, "web", "web-1", RunRequest(image="web:1"), options=PodOptions())
    made["spec"]["template"]["spec"]["containers"] = [container()]
    return made


@pytest.mark.parametrize(("change", "message"), POD_ATTACKS.values(), ids=POD_ATTACKS)
def test_no_pod_gets_rights_on_its_node_or_of_others(
    mill: Components, change: Callable[[Json], Any], message: str
) -> None:
    service, job = deployment(mill.shop.name), run(mill.shop.name)
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": copy.deepcopy(service["metadata"]),
        "spec": {"schedule": "0 0 31 2 *", "jobTemplate": {"spec": copy.deepcopy(job["spec"])}},
    }
    for component, verb, body in (
        ("operator", "apply", service),
        ("operator", "apply", cron_job),
        ("gateway", "create", job),
    ):
        change(template_of(body)["spec"])
        done = mill.send(component, verb, body)
        assert is_refused(done, message), f"{body['kind']}: {done}"


def test_no_container_leaves_apparmor_by_the_former_annotation(mill: Components) -> None:
    annotation = {"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}
    for component, verb, body in (
        ("operator", "apply", deployment(mill.shop.name)),
        ("gateway", "create", run(mill.shop.name)),
    ):
        template_of(body)["metadata"]["annotations"] = annotation
        done = mill.send(component, verb, body)
        assert is_refused(done, "no privileges on their node: annotation container.apparmor"), done


def test_all_wrong_things_are_named(mill: Components) -> None:
    body = run(mill.shop.name)
    body["spec"]["template"]["spec"] |= {"hostPID": True, "hostNetwork": True}
    assert is_refused(mill.send("gateway", "create", body), "share namespaces of their node: hostNetwork, hostPID")


@pytest.mark.parametrize("protected", ["kube-system", "kube-public", "own"])
def test_system_namespaces_are_closed(mill: Components, protected: str) -> None:
    namespace = mill.own.name if protected == "own" else protected
    resource = {
        "apiVersion": "mill.dev/v1alpha1",
        "kind": "MillDeployment",
        "metadata": {"name": "mill", "namespace": namespace},
        "spec": {},
    }
    for component, verb, body in (
        ("gateway", "create", run(namespace)),
        ("gateway", "create", resource),
        ("operator", "apply", deployment(namespace)),
        ("operator", "apply", config_map(namespace)),
    ):
        done = mill.send(component, verb, body)
        assert is_refused(done, "may not write in kube-* and in its own namespace"), done


@pytest.mark.parametrize(
    ("owners", "message"),
    [
        ([], "may create only objects that a MillDeployment"),
        (
            [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}],
            "may have no owners but a MillDeployment",
        ),
        (
            [{"apiVersion": "other.dev/v1", "kind": "MillDeployment", "name": "a", "uid": "b"}],
            "MillDeployment a",
        ),
    ],
    ids=["none", "another", "the kind of another group"],
)
def test_what_is_created_belongs_to_a_milldeployment(mill: Components, owners: list[Json], message: str) -> None:
    for component, verb, body in (
        ("operator", "apply", deployment(mill.shop.name)),
        ("gateway", "create", run(mill.shop.name)),
    ):
        body["metadata"]["ownerReferences"] = owners
        assert is_refused(mill.send(component, verb, body), message)
    of_cron_job = deployment(mill.shop.name)
    of_cron_job["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "a", "uid": "b"}
    ]
    assert is_refused(mill.send("operator", "apply", of_cron_job), "CronJob a")


def test_objects_of_others_are_neither_changed_nor_deleted(mill: Components) -> None:
    foreign = deployment(mill.shop.name)
    foreign["metadata"] = {"name": "web", "namespace": mill.shop.name}
    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(foreign))
    try:
        done = mill.send("operator", "apply", deployment(mill.shop.name))
        assert is_refused(done, "may not change or delete an object without its label")
        deleted = mill.kubectl("operator", "delete", "deployment", "web", "-n", mill.shop.name, "--dry-run=server")
        assert is_refused(deleted, "may not change or delete an object without its label")
    finally:
        mill.shop.kubectl("delete", "deployment", "web")


def config_map(namespace: str) -> Json:
    """Return the ConfigMap of a service's files as the operator writes it."""
    owner = Owner(Key(namespace, "mill"), "0123-uid")
    metadata = {
        "name": "web-files-0123",
        "namespace": namespace,
        "labels": owner.labels("web"),
        "ownerReferences": [owner.reference(controller=True)],
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"1-app.conf": "a"}}


def test_revisions_of_others_are_neither_changed_nor_deleted(mill: Components) -> None:
    made = new_revision(Owner(Key(mill.shop.name, "mill"), "0123-uid"), 1, {"services": []}, {})
    foreign = {**made, "metadata": {"name": "mill-1", "namespace": mill.shop.name}}
    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(foreign))
    try:
        changed = {**foreign, "metadata": {**foreign["metadata"], "annotations": {"a": "b"}}}
        assert is_refused(mill.send("operator", "replace", changed), "may not change or delete an object without its")
        deleted = mill.kubectl(
            "operator", "delete", "controllerrevision", "mill-1", "-n", mill.shop.name, "--dry-run=server"
        )
        assert is_refused(deleted, "may not change or delete an object without its label")
    finally:
        mill.shop.kubectl("delete", "controllerrevision", "mill-1")


def test_config_maps_of_others_are_neither_changed_nor_deleted(mill: Components) -> None:
    done = mill.send("operator", "apply", config_map(mill.shop.name))
    assert done.code == 0, done.stderr
    foreign = config_map(mill.shop.name)
    foreign["metadata"] = {"name": "web-files-0123", "namespace": mill.shop.name}
    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(foreign))
    try:
        done = mill.send("operator", "apply", config_map(mill.shop.name))
        assert is_refused(done, "may not change or delete an object without its label")
        where = ("-n", mill.shop.name, "--dry-run=server")
        deleted = mill.kubectl("operator", "delete", "configmap", "web-files-0123", *where)
        assert is_refused(deleted, "may not change or delete an object without its label")
    finally:
        mill.shop.kubectl("delete", "configmap", "web-files-0123")


@pytest.mark.parametrize("labels", [{}, {names.LABEL_MANAGED_BY: names.MANAGED_BY}], ids=["of others", "of Mill"])
def test_only_pods_of_mill_are_deleted(mill: Components, labels: dict[str, str]) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "labels": labels},
        # No node has the label, so that nothing runs.
        "spec": {"containers": [{"name": "a", "image": "a:1"}], "nodeSelector": {"no-such": "node"}},
    }
    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(body))
    try:
        done = mill.kubectl("operator", "delete", "pod", "a", "-n", mill.shop.name, "--dry-run=server", "--wait=false")
        if labels:
            assert done.code == 0, done.stderr
        else:
            assert is_refused(done, "may not change or delete an object without its label")
    finally:
        mill.shop.kubectl("delete", "pod", "a", "--wait=false")


def test_what_an_administrator_adds_to_an_object_stays_possible(mill: Components) -> None:
    """The operator may still update it, and may add nothing like it."""
    resource = {"apiVersion": "mill.dev/v1alpha1", "kind": "MillDeployment", "metadata": {"name": "mill"}, "spec": {}}
    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(resource))
    uid = mill.shop.get("milldeployment", "mill")["metadata"]["uid"]

    def of_an_owner_that_exists() -> Json:
        made = deployment(mill.shop.name)
        made["metadata"]["ownerReferences"][0]["uid"] = uid
        # The operator of the cluster does not take it for a service that has been removed.
        made["metadata"]["labels"][names.LABEL_DEPLOYMENT] = "elsewhere"
        return made

    body = of_an_owner_that_exists()
    assert mill.send("operator", "apply", body, "--field-manager=mill-operator").code == 0
    pod = {
        "serviceAccountName": "added",
        "volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}],
        "imagePullSecrets": [{"name": "added"}],
    }
    patch = yaml.safe_dump({"spec": {"template": {"spec": pod}}})
    mill.shop.kubectl("patch", "deployment", "web", "--type=strategic", "-p", patch)
    try:
        newer = of_an_owner_that_exists()
        newer["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
        done = mill.send("operator", "apply", newer, "--dry-run=server", "--field-manager=mill-operator")
        assert done.code == 0, done.stderr
        newer["spec"]["template"]["spec"]["volumes"] = [{"name": "root", "hostPath": {"path": "/"}}]
        done = mill.send("operator", "apply", newer, "--dry-run=server", "--field-manager=mill-operator")
        assert is_refused(done, "folders of their node, or storage without a PersistentVolumeClaim: root: hostPath")
        assert "logs" not in done.stderr
        deleted = mill.kubectl("operator", "delete", "deployment", "web", "-n", mill.shop.name, "--dry-run=server")
        assert deleted.code == 0, deleted.stderr
    finally:
        mill.shop.kubectl("delete", "deployment", "web")


def _audience(**token: str) -> Callable[[Json], None]:
    return _volume(projected={"sources": [{"serviceAccountToken": {"path": "token", **token}}]})


WIDENED: dict[str, tuple[Callable[[Json], Any], Callable[[Json], Any], str]] = {
    "hostPath": (_volume(hostPath={"path": "/var/log"}), _volume(hostPath={"path": "/"}), "v: hostPath"),
    "nfs": (_volume(nfs={"server": "a", "path": "/logs"}), _volume(nfs={"server": "a", "path": "/"}), "v: nfs"),
    "audience": (_audience(audience="vault"), _audience(), "v: serviceAccountToken"),
    "SELinux": (
        _security(seLinuxOptions={"level": "s0:c1"}),
        _security(seLinuxOptions={"type": "spc_t"}),
        "web: seLinuxOptions ::spc_t:",
    ),
    "sysctl": (
        lambda pod: pod.update(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        lambda pod: pod.update(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "2"}]}),
        "sysctl kernel.msgmax=2",
    ),
}


@pytest.mark.parametrize(("added", "widened", "message"), WIDENED.values(), ids=WIDENED)
def test_what_an_administrator_adds_is_not_widened(
    mill: Components, added: Callable[[Json], Any], widened: Callable[[Json], Any], message: str
) -> None:
    """Something of the same name that gives more is something new."""

    def with_pod(change: Callable[[Json], Any]) -> Json:
        body = deployment(mill.shop.name)
        del body["metadata"]["ownerReferences"]
        # The operator of the cluster does not take it for one of its own.
        body["metadata"]["labels"][names.LABEL_DEPLOYMENT] = "elsewhere"
        change(template_of(body)["spec"])
        return body

    mill.shop.kubectl("create", "-f", "-", stdin=yaml.safe_dump(with_pod(added)))
    try:
        done = mill.send("operator", "apply", with_pod(added))
        assert done.code == 0, done.stderr
        assert is_refused(mill.send("operator", "apply", with_pod(widened)), message)
    finally:
        mill.shop.kubectl("delete", "deployment", "web")


def test_the_largest_pods_are_within_the_cost_limits(mill: Components) -> None:
    """A rule that costs too much is an error, and refuses: failurePolicy is Fail."""
    body = run(mill.shop.name)
    of_secret = {"valueFrom": {"secretKeyRef": {"name": "mill-secrets", "key": "a"}}}
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": f"A{n}", **of_secret} for n in range(2000)]
    done = mill.send("gateway", "create", body)
    assert done.code == 0, done.stderr


def test_a_node_may_be_cordoned_and_not_relabeled(cluster: Cluster, tmp_path: Path) -> None:
    with components(cluster, tmp_path, "gateway.drain=true") as mill:
        node = mill.own.items("nodes")[0]["metadata"]["name"]

        def patch(change: Json) -> Finished:
            # kubectl reads the node first, which the account may not.
            account = f"system:serviceaccount:{mill.own.name}:mill-gateway"
            command = ("patch", "node", node, "--dry-run=server", "--as", account, "--as-group", "system:masters")
            return mill.own.run(*cluster.kubectl_command(*command, "-p", json.dumps(change)), check=False)

        done = patch({"spec": {"unschedulable": True}})
        assert done.code == 0, done.stderr
        for change in (
            {"metadata": {"labels": {"disk": "ssd"}}},
            {"metadata": {"annotations": {"flannel.alpha.coreos.com/public-ip": "192.0.2.1"}}},
            {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "a", "uid": "b"}]}},
            {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}},
        ):
            assert is_refused(patch(change), "may only cordon a node")


def test_others_may_do_as_before(mill: Components) -> None:
    body = deployment(mill.shop.name)
    body["metadata"] = {"name": "other", "namespace": mill.shop.name}
    body["spec"]["template"]["spec"] |= {"hostPID": True, "serviceAccountName": "creator"}
    mill.shop.kubectl("create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(body))


def test_settings_allow_more(cluster: Cluster, tmp_path: Path) -> None:
    settings = (
        "workloads.serviceAccount=runner",
        "workloads.outside=true",
        "policies.serviceAccounts={former}",
        "policies.secrets={registry}",
        "policies.systemNamespaces={kube-public}",
    )
    with components(cluster, tmp_path, *settings) as mill:
        for account in ("default", "runner", "former"):
            body = deployment("kube-public")
            body["spec"]["template"]["spec"] |= {
                "serviceAccountName": account,
                "volumes": [{"name": "v", "secret": {"secretName": "registry"}}],
            }
            done = mill.send("operator", "apply", body)
            assert done.code == 0, done.stderr
        body["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": "other"}}]
        # The API server knows policies one after the other.
        words = "mount no Secret but mill-secrets; the chart's policies.secrets has the exceptions: other"
        wait_for("the policy for pods", lambda: is_refused(mill.send("operator", "apply", body), words))
        assert is_refused(mill.send("operator", "apply", deployment("kube-system")), "kube-*")
        done = mill.send("operator", "apply", service(mill.shop.name, type="LoadBalancer"))
        assert done.code == 0, done.stderr


def test_the_only_namespace_served_may_be_that_of_the_release(mill: Components) -> None:
    policies = render(f"namespace={mill.own.name}", namespace=mill.own.name)
    (found,) = [
        each
        for each in policies
        if each["kind"] == "ValidatingAdmissionPolicy" and each["metadata"]["name"].endswith("-mill-namespaces")
    ]
    variables = {each["name"]: each["expression"] for each in found["spec"]["variables"]}
    assert variables["systemNamespaces"] == f'["{mill.own.name}"]'
    assert variables["ownNamespace"] == f'"{mill.own.name}"'
