"""What the chart renders: every value counts, what is wrong is refused, and the API server takes all of it."""

import base64
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.commands import CommandFailed, run
from mill_gateway.rbac import ACCOUNT as GATEWAY
from mill_operator.rbac import ACCOUNT as OPERATOR
from tests.e2e.conftest import Namespace

from .helm import CHART, EVERYTHING, helm, render

Objects = list[dict[str, Any]]

SETTINGS = {
    "image.repository=r.example/m": "r.example/m:0.2.0",
    "image.tag=v9": "mill:v9",
    f"image.digest=sha256:{'a' * 64}": f"mill@sha256:{'a' * 64}",
    "image.pullPolicy=Always": "imagePullPolicy: Always",
    "imagePullSecrets[0].name=registry": "imagePullSecrets:\n      - name: registry",
    "podSecurity.user=1000680000": "runAsUser: 1000680000\n        runAsGroup: 1000680000\n        fsGroup: 1000680000",
    "nameOverride=press": "name: mill-press-operator",
    "fullnameOverride=press": "name: press-operator",
    "commonLabels.team=shop": "team: shop",
    "namespace=shop": "name: MILL_SINGLE_NAMESPACE",
    "serviceAccounts.annotations.role=x": "role: x",
    "policies.serviceAccounts={former}": '["default","former"]',
    "policies.secrets={registry}": '["mill-secrets","registry"]',
    "policies.systemNamespaces={kube-public}": '["kube-public"]',
    "workloads.serviceAccount=runner": "name: MILL_SERVICE_ACCOUNT\n          value: runner",
    "workloads.pullSecret=mill-registries": "name: MILL_PULL_SECRET\n          value: mill-registries",
    "workloads.outside=true": "name: MILL_OUTSIDE\n          value: 'true'",
    "workloads.restricted=true": "name: MILL_RESTRICTED\n          value: 'true'",
    "workloads.tolerations={spot}": "name: MILL_TOLERATIONS\n          value: spot",
    "workloads.podLabels={example.com/}": "name: MILL_POD_LABELS\n          value: example.com/",
    "workloads.podAnnotations={prometheus.io/}": "name: MILL_POD_ANNOTATIONS\n          value: prometheus.io/",
    "workloads.stopSignals=true": "name: MILL_STOP_SIGNALS\n          value: 'true'",
    "workloads.ingressClass=nginx": "name: MILL_INGRESS_CLASS\n          value: nginx",
    "workloads.tlsIssuer=acme": "name: MILL_TLS_ISSUER\n          value: acme",
    "operator.replicas=3": "replicas: 3",
    "operator.workers=2": "name: MILL_WORKERS\n          value: '2'",
    "operator.settle=1m30s": "name: MILL_SETTLE\n          value: 1m30s",
    "operator.logLevel=DEBUG": "name: MILL_LOG_LEVEL\n          value: DEBUG",
    "operator.logFormat=text": "name: MILL_LOG_FORMAT\n          value: text",
    "operator.evidenceLogs=false": "name: MILL_EVIDENCE_LOGS\n          value: 'false'",
    "operator.resources.limits.memory=1Gi": "memory: 1Gi",
    "operator.podLabels.a=b": "a: b",
    "operator.podAnnotations.c=d": "c: d",
    "operator.nodeSelector.disk=ssd": "disk: ssd",
    "operator.tolerations[0].key=spot": "key: spot",
    "operator.affinity.nodeAffinity.x=y": "nodeAffinity:",
    "operator.priorityClassName=high": "priorityClassName: high",
    "operator.env.HTTPS_PROXY=http://p": "name: HTTPS_PROXY",
    "gateway.replicas=5": "replicas: 5",
    "gateway.defaultNamespace=shop": "name: MILL_DEFAULT_NAMESPACE\n          value: shop",
    "gateway.kubernetesTokens=false": "name: MILL_KUBERNETES_TOKENS\n          value: 'false'",
    "gateway.tokenAudiences[0]=press": "name: MILL_TOKEN_AUDIENCES\n          value: press",
    "gateway.token.create=true": "kind: Secret",
    "gateway.apiServerTokens=false": "name: MILL_API_SERVER_TOKENS\n          value: 'false'",
    "gateway.token.existingSecret=ours": "secretName: ours",
    "gateway.nodes=false": "name: MILL_NODES\n          value: 'false'",
    "gateway.drain=true": "name: MILL_DRAIN\n          value: 'true'",
    "gateway.tls.existingSecret=tls": "scheme: HTTPS",
    "gateway.tls.create=true": "secretName: mill-gateway-tls",
    "gateway.tls.issuer=ours": "kind: ClusterIssuer\n    name: ours",
    "gateway.tls.issuer=ours,gateway.tls.issuerKind=Issuer": "kind: Issuer",
    "gateway.service.type=LoadBalancer": "type: LoadBalancer",
    "gateway.service.port=80": "port: 80",
    "gateway.service.ipFamilyPolicy=PreferDualStack": "ipFamilyPolicy: PreferDualStack",
    "gateway.service.ipFamilies[0]=IPv6": "ipFamilies:\n  - IPv6",
    "gateway.service.annotations.e=f": "e: f",
    "gateway.ingress.enabled=true,gateway.ingress.host=m.example,gateway.ingress.tlsSecret=web": "host: m.example",
    "gateway.ingress.enabled=true,gateway.ingress.host=m.example,gateway.ingress.tls=external": "host: m.example",
    "networkPolicies.egressPorts={7443}": "port: 7443",
    "networkPolicies.gatewayFrom[0].podSelector.matchLabels.x=y": "from:",
    "serviceMonitor.enabled=true": "kind: ServiceMonitor",
    "serviceMonitor.enabled=true,serviceMonitor.interval=5s": "interval: 5s",
    "serviceMonitor.enabled=true,serviceMonitor.labels.release=p": "release: p",
    "monitoring.alerts=true": "kind: PrometheusRule",
    "argocd.healthCheck=true": "resource.customizations.health.mill.dev_MillDeployment",
    "tests.namespace=trial": "name: MILL_NAMESPACE\n      value: trial",
}
GONE = {
    "crd.install=false": "CustomResourceDefinition",
    "rbac.create=false": "ClusterRole",
    "serviceAccounts.create=false": "ServiceAccount",
    "policies.enabled=false": "ValidatingAdmissionPolicy",
    "podDisruptionBudgets.enabled=false": "PodDisruptionBudget",
    "networkPolicies.enabled=false": "NetworkPolicy",
}
WRONG = {
    "operator.replica=2": "replica",
    "image.pullPolicy=Sometimes": "pullPolicy",
    "operator.replicas=-1": "replicas",
    "podSecurity.user=0": "user",
    "operator.settle=10": "settle",
    "gateway.service.type=External": "type",
    "gateway.service.ipFamilyPolicy=DualStack": "ipFamilyPolicy",
    "gateway.service.ipFamilies[0]=IPv5": "ipFamilies",
    "namespace=Shop": "namespace",
    "gateway.token.create=false,gateway.kubernetesTokens=false": "no caller could use the gateway",
    "gateway.ingress.enabled=true,gateway.ingress.tls=external": "the host name of the gateway is required",
    "gateway.ingress.enabled=true,gateway.ingress.host=m.example": "tokens would travel in plain text",
    "gateway.ingress.tls=none": "tls",
    "gateway.token.create=never": "create",
    "gateway.tls.create=true,gateway.tls.issuer=ours": "set only one of create, issuer and existingSecret",
    "gateway.tls.create=true,gateway.tls.existingSecret=tls": "set only one of create, issuer and existingSecret",
    "defaultsOf=0.1": "upgrade with --reset-then-reuse-values",
}


def text_of(objects: Objects) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000)


def kinds(objects: Objects) -> set[str]:
    return {each["kind"] for each in objects}


def installed(objects: Objects) -> Objects:
    """Leave out what only `helm test` creates."""
    return [each for each in objects if "helm.sh/hook" not in each["metadata"].get("annotations", {})]


def test_helm_has_nothing_against_it() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))


@pytest.mark.parametrize(("setting", "shown"), SETTINGS.items(), ids=SETTINGS)
def test_every_value_counts(setting: str, shown: str) -> None:
    assert shown not in text_of(render())
    assert shown in text_of(render(*setting.split(",")))


@pytest.mark.parametrize(("setting", "kind"), GONE.items(), ids=GONE)
def test_what_is_turned_off_is_not_there(setting: str, kind: str) -> None:
    assert kind in kinds(installed(render()))
    assert kind not in kinds(installed(render(setting)))


@pytest.mark.parametrize(("setting", "told"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_refused(setting: str, told: str) -> None:
    with pytest.raises(CommandFailed, match=told):
        render(*setting.split(","))


def test_every_value_is_tried() -> None:
    def leaves(value: Any, path: str) -> list[str]:
        if isinstance(value, dict) and value:
            return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}")]
        return [path.removeprefix(".")]

    same = ("resources", "podLabels", "podAnnotations", "nodeSelector", "tolerations", "affinity", "priorityClassName")
    tried = " ".join([*SETTINGS, *GONE, *EVERYTHING, *WRONG])
    for leaf in leaves(yaml.safe_load((CHART / "values.yaml").read_text()), ""):
        as_operator = leaf.replace("gateway.", "operator.", 1)
        shared = leaf.startswith("gateway.") and leaf.split(".")[1] in (*same, "env", "logLevel", "logFormat")
        known = leaf in tried or (shared and as_operator.split(".")[1] in tried)
        assert known or leaf.startswith(("operator.resources", "networkPolicies.metricsFrom", "gateway.ingress.")), leaf


@pytest.mark.parametrize("settings", [(), EVERYTHING], ids=["as it is", "with everything"])
def test_the_api_server_takes_it(shared: Namespace, settings: tuple[str, ...]) -> None:
    shared.kubectl("create", "serviceaccount", "mill-test", check=False)  # a pod needs one that exists
    for each in render(*settings, namespace=shared.name):
        if each["metadata"].get("namespace", shared.name) != shared.name:
            each["metadata"]["namespace"] = shared.name
        answer = shared.kubectl(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=json.dumps(each)
        )
        assert "serverside-applied" in answer


@pytest.mark.parametrize("settings", [(), EVERYTHING], ids=["cluster", "namespace"])
def test_the_rights_are_those_of_the_components_own_tables(settings: tuple[str, ...]) -> None:
    made = installed(render("gateway.drain=true", *settings))
    roles = [each for each in made if each["kind"] in ("Role", "ClusterRole")]
    granted = [rule for role in roles for rule in role["rules"]]
    wanted = [right.rule() for account in (OPERATOR, GATEWAY) for right in account.rights]
    as_text = partial(json.dumps, sort_keys=True)
    assert sorted(map(as_text, granted)) == sorted(map(as_text, wanted))
    served = [role for role in roles if role["metadata"]["name"] == "mill-operator"]
    assert [role["metadata"].get("namespace") for role in served] == (["shop"] if settings else [])


def test_a_new_installation_has_no_admin_token_unless_no_other_is_accepted() -> None:
    assert "Secret" not in kinds(render())
    assert "MILL_ADMIN_TOKENS_FILE" not in text_of(render())
    (made,) = [each for each in render("gateway.kubernetesTokens=false") if each["kind"] == "Secret"]
    assert made["metadata"]["name"] == "mill-gateway-token"


def test_values_of_another_release_are_refused_whatever_template_is_first() -> None:
    """Helm renders templates in any order, and the first error is the one that people read."""
    for template in (CHART / "templates").rglob("*"):
        if template.is_file() and template.name != "_helpers.tpl":
            assert template.read_text().startswith('{{- include "mill.checkValues" . '), template.name
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    assert version.startswith(yaml.safe_load((CHART / "values.yaml").read_text())["defaultsOf"] + ".")


def test_connections_from_the_gateway_are_limited_by_port_and_to_it_only_where_peers_are_named() -> None:
    def of_gateway(*settings: str) -> dict[str, Any]:
        policies = [each for each in render(*settings) if each["kind"] == "NetworkPolicy"]
        (found,) = [each["spec"] for each in policies if each["metadata"]["name"] == "mill-gateway"]
        return found  # type: ignore[no-any-return]

    default = of_gateway()
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert default["ingress"] == [{"ports": [{"port": "http"}]}]
    (egress,) = default["egress"]
    assert "to" not in egress
    assert {"port": 53, "protocol": "UDP"} in egress["ports"]
    assert of_gateway("networkPolicies.egressPorts=null")["policyTypes"] == ["Ingress"]
    (ingress,) = of_gateway("networkPolicies.gatewayFrom[0].podSelector.matchLabels.x=y")["ingress"]
    (tested,) = [each for each in render() if each["kind"] == "Pod"]
    admitted = [each["podSelector"]["matchLabels"] for each in ingress["from"]]
    assert admitted[0] == {"x": "y"}
    assert admitted[1].items() <= tested["metadata"]["labels"].items(), "the pod of `helm test`"


def test_the_certificate_that_helm_creates_is_for_the_names_of_the_gateway(tmp_path: Path) -> None:
    (made,) = [each for each in render("gateway.tls.create=true") if each["kind"] == "Secret"]
    assert made["type"] == "kubernetes.io/tls"
    for name, content in made["data"].items():
        (tmp_path / name).write_bytes(base64.b64decode(content))
    host = ("-verify_hostname", "mill-gateway.mill-system.svc")
    run("openssl", "verify", "-CAfile", tmp_path / "ca.crt", *host, tmp_path / "tls.crt")
    assert "BEGIN" in (tmp_path / "tls.key").read_text()


def test_helm_test_deploys_where_mill_may_write() -> None:
    def namespace(*settings: str) -> str:
        (found,) = [each for each in render(*settings) if each["kind"] == "Pod"]
        (container,) = found["spec"]["containers"]
        value: str = next(each["value"] for each in container["env"] if each["name"] == "MILL_NAMESPACE")
        return value

    made = [each["metadata"]["name"] for each in render() if each["kind"] == "Namespace"]
    assert made == [namespace()]
    assert made[0].startswith("mill-test-")
    assert made[0] != namespace("nameOverride=press")
    for settings, expected in (
        (("tests.namespace=trial",), "trial"),
        (("namespace=shop",), "shop"),
        (("namespace=shop", "tests.namespace=shop"), "shop"),
    ):
        assert namespace(*settings) == expected
        assert "Namespace" not in kinds(render(*settings)), "it is not the test's, and is not deleted"
        assert "MillDeployment" in kinds(render(*settings)), "its deletion removes what was deployed"


def test_helm_test_has_the_admin_token_only_where_no_other_is_accepted() -> None:
    def pod(*settings: str) -> str:
        return text_of([each for each in render(*settings) if each["kind"] == "Pod"])

    assert "audience: mill" in pod()
    assert "audience: mill" in pod("gateway.token.create=true")
    assert "secretKeyRef" not in pod("gateway.token.create=true")
    assert "name: mill-gateway-token" in pod("gateway.kubernetesTokens=false")
    assert "serviceAccountToken" not in pod("gateway.kubernetesTokens=false")


def pods_of(objects: Objects) -> Objects:
    """Return the specs of all pods, that of `helm test` included."""
    pods = [each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment"]
    pods += [each["spec"] for each in objects if each["kind"] == "Pod"]
    assert len(pods) == 3
    return pods


def test_no_pod_names_its_user_where_the_platform_assigns_one() -> None:
    for pod in pods_of(render("podSecurity.user=null")):
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_every_image_comes_from_the_one_repository() -> None:
    """An air-gapped cluster needs a copy of that one, and nothing else."""
    ours = "registry.internal/platform/mill"
    rendered = render(f"image.repository={ours}")
    assert {each["image"] for pod in pods_of(rendered) for each in pod["containers"]} == {f"{ours}:0.2.0"}
    assert all("initContainers" not in pod for pod in pods_of(rendered))
    (deployed,) = [each for each in rendered if each["kind"] == "ConfigMap" and "production.mill" in each["data"]]
    images = re.findall(r'image += "([^"]+)"', deployed["data"]["production.mill"])
    assert images == [f"{ours}:0.2.0", f"{ours}:no-such-tag"], "of what `helm test` deploys"


def test_all_pods_keep_the_restricted_profile() -> None:
    for pod in pods_of(render()):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
