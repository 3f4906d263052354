"""What settings of the operator change in objects: accounts, restrictions, ingress classes, certificates."""

import re
from dataclasses import replace
from typing import Any

from mill_api.owner import Owner
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.objects.tls import former_names
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.ingresses import ObservedIngress
from tests.support.children import OBSERVED
from tests.support.rendered import DB, OWNER, TASK, Made, made_of, one, web


class TestOptions:
    def options(self, **options: Any) -> Made:
        routes = [{"host": "www.example.com"}, {"host": "shop.example.com"}]
        spec = {"services": [web(port=8080, routes=routes)], "tasks": [TASK]}
        return made_of(spec, options=RenderOptions(**options))

    def pods(self, made: Made) -> list[dict[str, Any]]:
        job = one(made, "CronJob", "migrate").body["spec"]["jobTemplate"]
        return [each["spec"]["template"]["spec"] for each in (one(made, "Deployment").body, job)]

    def test_a_named_account_is_every_pod_s(self):
        assert [pod["serviceAccountName"] for pod in self.pods(self.options(service_account="puller"))] == [
            "puller"
        ] * 2

    def test_restricted_containers_have_no_root_and_no_capabilities(self):
        for pod in self.pods(self.options(restricted=True)):
            assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
            assert [each["securityContext"] for each in pod["containers"]] == [
                {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
            ]

    def test_routes_have_a_class_and_a_certificate_for_all_their_hosts(self):
        made = one(self.options(ingress_class="nginx", tls_issuer="letsencrypt"), "Ingress").body
        assert made["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
        assert made["spec"]["ingressClassName"] == "nginx"
        assert made["spec"]["tls"] == [
            {"hosts": ["www.example.com", "shop.example.com"], "secretName": "web-tls-4844fae32e"}
        ]

    def secret(self, owner: Owner = OWNER, *hosts: str, **changes: Any) -> str:
        """Return the name of the TLS Secret of a service."""
        routes = [{"host": host} for host in hosts or ("www.example.com",)]
        services = [{**DB, "routes": [{"host": "db.example.com"}]}, web(port=8080, routes=routes)]
        made = made_of({"services": services}, None, RenderOptions(tls_issuer="letsencrypt"), owner=owner, **changes)
        (entry,) = one(made, "Ingress").body["spec"]["tls"]
        return str(entry["secretName"])

    def test_a_new_tls_secret_has_a_name_that_no_tenant_chooses(self):
        other = Owner(OWNER.key, "another-uid")
        assert re.fullmatch(r"web-tls-[0-9a-f]{10}", self.secret())
        assert self.secret(other) != self.secret()
        assert self.secret(OWNER, "other.example.com", "more.example.com") == self.secret(), "no new certificate"

    def test_an_ingress_with_the_former_name_of_its_tls_secret_keeps_it(self):
        assert self.secret(former_tls=frozenset({"web"})) == "web-tls"
        assert self.secret(former_tls=frozenset({"db"})) == self.secret()

    def test_the_former_name_is_recognized_by_service(self):
        def child(service: str, secret: str) -> ObservedChild:
            return replace(OBSERVED, kind="Ingress", service=service, ingress=ObservedIngress((), None, secret))

        found = [child("web", "web-tls"), child("api", "web-tls"), child("db", "db-tls-0123456789"), child("x", "")]
        assert former_names([*found, replace(OBSERVED, service="d")]) == {"web"}
