"""Hosts and routes of Ingresses, by an operator whose API server is in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from mill_kube.errors import ApiError, Unreachable
from mill_kube.resources import DEPLOYMENTS, INGRESSES, MILL_DEPLOYMENTS, NAMESPACES, SERVICES
from mill_objects.json import Json
from mill_operator import namespaces
from mill_operator.controller import Controller, ControllerOptions
from mill_operator.core.objects.pods import RenderOptions
from mill_operator.core.reconcile.next_status import WRITE_RETRY
from mill_operator.metrics import Metrics
from mill_operator.reconciler import ReconcilerOptions
from tests.support.apiserver import ApiServer, InMemoryClient
from tests.unit.virtual_time import virtual_time

HOST = "shop.example.com"
SHARED = (
    "a MillDeployment of another namespace has the same route: shop.example.com/; Kubernetes does not define which of"
    " the two gets a request"
)
FORBIDDEN = ApiError(403, "Forbidden", 'namespaces "one" is forbidden')


@pytest.fixture
def server() -> ApiServer:
    server = ApiServer()
    for name in ("one", "two"):
        annotate(server, name)
    return server


def annotate(server: ApiServer, namespace: str, **annotations: str) -> None:
    named = {f"mill.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    server.put(NAMESPACES, {"metadata": {"name": namespace, "annotations": named}})


def deploy(server: ApiServer, namespace: str, name: str, *routes: tuple[str, str], image: str = "web:1") -> None:
    """Put a MillDeployment of one service, which has its name."""
    body = server.find(MILL_DEPLOYMENTS, namespace, name) or {}
    generation = body.get("metadata", {}).get("generation", 0) + 1
    service: Json = {"name": name, "image": image, "port": 8080}
    if routes:
        service["routes"] = [{"host": host, "path": path} for host, path in routes]
    metadata = {"name": name, "namespace": namespace, "generation": generation}
    server.put(MILL_DEPLOYMENTS, {**body, "metadata": metadata, "spec": {"services": [service]}})


def delete(server: ApiServer, namespace: str, name: str) -> None:
    """Delete a MillDeployment, and its Ingress as the garbage collector does."""
    server.remove(MILL_DEPLOYMENTS, namespace, name)
    server.remove(INGRESSES, namespace, name)


@asynccontextmanager
async def operator(server: ApiServer, **render: Any) -> AsyncIterator[Controller]:
    """Run an operator, and wait until it has reconciled everything."""
    options = ReconcilerOptions(keeps_revisions=False, render=RenderOptions(settle=timedelta(0), **render))
    reasons: list[str] = []
    controller = Controller(
        InMemoryClient(server),
        ControllerOptions(workers=4, reconciler=options),
        metrics=Metrics(),
        give_up=reasons.append,
    )
    controller.start()
    await settled()
    try:
        yield controller
    finally:
        await controller.stop()
        assert reasons == []


async def settled() -> None:
    await asyncio.sleep(2)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that takes the time of the machine: retries, and statuses that are throttled."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(1)


def ingresses(server: ApiServer) -> dict[str, list[str]]:
    """Return the routes of each Ingress."""
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": [
            f"{rule['host']}{path['path']}" for rule in each["spec"]["rules"] for path in rule["http"]["paths"]
        ]
        for each in server.all(INGRESSES)
    }


def status(server: ApiServer, namespace: str, name: str) -> Json:
    return dict((server.find(MILL_DEPLOYMENTS, namespace, name) or {})["status"])


def verdict(server: ApiServer, namespace: str, name: str) -> tuple[str, str | None]:
    """Return the state and reason of a service."""
    (service,) = status(server, namespace, name)["services"]
    return service["state"], service.get("reason")


def message(server: ApiServer, namespace: str, name: str) -> str:
    (service,) = status(server, namespace, name)["services"]
    return str(service["message"])


def warnings(server: ApiServer, namespace: str, name: str) -> list[tuple[str, str]]:
    return [(each["code"], each["message"]) for each in status(server, namespace, name).get("warnings", ())]


class TestRouteTaken:
    @virtual_time
    async def test_the_second_in_a_namespace_has_pods_and_no_ingress(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server):
            deploy(server, "one", "second", (HOST, "/"), ("other.example.com", "/"))
            await settled()
            assert ingresses(server) == {"one/first": [f"{HOST}/"]}
            assert verdict(server, "one", "second") == ("Failed", "RouteTaken")
            assert message(server, "one", "second") == (
                'route shop.example.com/ belongs to service "first" of MillDeployment "first"'
            )
            assert verdict(server, "one", "first")[0] != "Failed"
            for resource in (DEPLOYMENTS, SERVICES):
                assert server.find(resource, "one", "second") is not None

    @virtual_time
    async def test_an_ingress_that_was_orphaned_keeps_its_routes(self, server: ApiServer) -> None:
        """Whoever deletes a MillDeployment so that all of it runs on would get the requests of the next one."""
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server):
            server.remove(MILL_DEPLOYMENTS, "one", "first")
            left = server.find(INGRESSES, "one", "first") or {}
            server.put(INGRESSES, {**left, "metadata": {**left["metadata"], "ownerReferences": []}})
            await settled()
            deploy(server, "one", "second", (HOST, "/"))
            deploy(server, "two", "third", (HOST, "/"))
            await settled()
            assert ingresses(server) == {"one/first": [f"{HOST}/"]}
            assert verdict(server, "two", "third") == ("Failed", "RouteTaken")
            assert message(server, "one", "second") == (
                'route shop.example.com/ belongs to Ingress "first", which is left of MillDeployment "first"'
            )
            server.remove(INGRESSES, "one", "first")
            await until(lambda: ingresses(server))
            assert ingresses(server) == {"one/second": [f"{HOST}/"]}

    @virtual_time
    async def test_another_namespace_is_not_named(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/api"))
        async with operator(server):
            deploy(server, "two", "second", (HOST, "/api/"))
            deploy(server, "two", "third", (HOST, "/"))
            await settled()
            assert ingresses(server).keys() == {"one/first", "two/third"}
            assert message(server, "two", "second") == (
                "route shop.example.com/api belongs to a MillDeployment of another namespace"
            )

    @pytest.mark.parametrize("way", ["deleted", "changed"])
    @virtual_time
    async def test_the_second_gets_the_route_when_the_first_lets_go(self, server: ApiServer, way: str) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server):
            deploy(server, "two", "second", (HOST, "/"))
            await settled()
            requests = len(server.requests)
            await settled()
            assert len(server.requests) == requests, "who waits asks for nothing"
            if way == "deleted":
                delete(server, "one", "first")
            else:
                deploy(server, "one", "first", ("other.example.com", "/"))
            await settled()
            assert ingresses(server)["two/second"] == [f"{HOST}/"]
            assert verdict(server, "two", "second")[0] != "Failed"

    @virtual_time
    async def test_of_two_at_the_same_moment_exactly_one_gets_the_route(self, server: ApiServer) -> None:
        answer = asyncio.Event()
        server.add_fault("apply", INGRESSES, hold=answer)
        for namespace in ("one", "two"):
            for name in ("a", "b", "c"):
                deploy(server, namespace, name, (HOST, "/"))
        async with operator(server):
            assert len(server.sent("apply", INGRESSES)) == 1
            answer.set()
            await settled()
            assert len(ingresses(server)) == 1
            states = [verdict(server, space, name)[1] for space in ("one", "two") for name in ("a", "b", "c")]
            assert states.count("RouteTaken") == 5

    @virtual_time
    async def test_a_route_is_free_when_its_write_was_refused(self, server: ApiServer) -> None:
        answer = asyncio.Event()
        refusal = ApiError(403, "Forbidden", "admission: no")
        server.add_fault("apply", INGRESSES, hold=answer, error=refusal, times=1)
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server):
            deploy(server, "two", "second", (HOST, "/"))
            await settled()
            assert verdict(server, "two", "second") == ("Failed", "RouteTaken")
            answer.set()
            await settled()
            assert verdict(server, "two", "second")[0] != "Failed"
            assert "two/second" in ingresses(server)

    @virtual_time
    async def test_an_update_with_a_taken_route_leaves_the_ingress_and_brings_the_pods(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        deploy(server, "two", "second", ("two.example.com", "/"))
        async with operator(server):
            before = server.find(INGRESSES, "two", "second")
            deploy(server, "two", "second", ("new.example.com", "/"), (HOST, "/"), image="web:2")
            await settled()
            assert verdict(server, "two", "second") == ("Failed", "RouteTaken")
            assert server.find(INGRESSES, "two", "second") == before
            made = server.find(DEPLOYMENTS, "two", "second") or {}
            assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
            deploy(server, "two", "second", ("new.example.com", "/"), image="web:2")
            await settled()
            assert ingresses(server)["two/second"] == ["new.example.com/"]
            assert verdict(server, "two", "second")[0] != "Failed"

    @virtual_time
    async def test_a_service_hands_its_route_to_another_of_the_file(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server):
            body = server.find(MILL_DEPLOYMENTS, "one", "first") or {}
            services = [{**body["spec"]["services"][0], "name": "renamed"}]
            metadata = {**body["metadata"], "generation": 2}
            server.put(MILL_DEPLOYMENTS, {**body, "metadata": metadata, "spec": {"services": services}})
            await settled()
            assert ingresses(server) == {"one/renamed": [f"{HOST}/"]}

    @virtual_time
    async def test_an_ingress_that_is_deleted_by_hand_comes_back_before_others_get_its_routes(
        self, server: ApiServer
    ) -> None:
        deploy(server, "two", "first", (HOST, "/"))
        async with operator(server):
            deploy(server, "one", "second", (HOST, "/"))
            await settled()
            server.remove(INGRESSES, "two", "first")
            await settled()
            assert ingresses(server).keys() == {"two/first"}
            assert verdict(server, "one", "second") == ("Failed", "RouteTaken")

    @virtual_time
    async def test_a_resource_that_is_gone_waits_for_nothing(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        async with operator(server) as controller:
            deploy(server, "two", "second", (HOST, "/"))
            await settled()
            assert controller.caches.routes._waits != {}
            server.remove(MILL_DEPLOYMENTS, "two", "second")
            await settled()
            assert controller.caches.routes._waits == controller.caches.routes._claims == {}

    @virtual_time
    async def test_both_namespaces_must_permit_that_a_route_is_shared(self, server: ApiServer) -> None:
        deploy(server, "one", "first", (HOST, "/"))
        annotate(server, "two", shared_routes="true")
        async with operator(server):
            deploy(server, "two", "second", (HOST, "/"))
            await settled()
            assert verdict(server, "two", "second") == ("Failed", "RouteTaken")
        annotate(server, "one", shared_routes="true")
        async with operator(server):
            assert ingresses(server).keys() == {"one/first", "two/second"}
            assert warnings(server, "one", "first") == warnings(server, "two", "second") == []

    @virtual_time
    async def test_two_that_have_it_from_before_are_left_alone_with_a_warning(self, server: ApiServer) -> None:
        for name in ("one", "two"):
            annotate(server, name, shared_routes="true")
            deploy(server, name, "web", (HOST, "/"))
        async with operator(server):
            pass
        before = server.all(INGRESSES)
        assert len(before) == 2
        for name in ("one", "two"):
            annotate(server, name)
        async with operator(server):
            assert server.all(INGRESSES) == before
            for name in ("one", "two"):
                assert verdict(server, name, "web")[0] != "Failed"
                assert warnings(server, name, "web") == [
                    ("RouteTaken", SHARED),
                ]
            deploy(server, "two", "web", (HOST, "/"), ("two.example.com", "/"))
            await settled()
            assert ingresses(server)["two/web"] == [f"{HOST}/", "two.example.com/"], "it is written for other changes"
            delete(server, "one", "web")
            await until(lambda: not warnings(server, "two", "web"))


class TestAllowedHosts:
    @virtual_time
    async def test_a_host_that_is_not_allowed_has_no_ingress(self, server: ApiServer) -> None:
        annotate(server, "one", allowed_hosts="*.one.example.com")
        deploy(server, "one", "good", ("www.one.example.com", "/"))
        deploy(server, "one", "bad", ("www.one.example.com", "/api"), (HOST, "/"))
        async with operator(server):
            assert ingresses(server) == {"one/good": ["www.one.example.com/"]}
            assert verdict(server, "one", "bad") == ("Failed", "HostNotAllowed")
            assert message(server, "one", "bad") == "namespace one does not allow shop.example.com"
            assert server.find(DEPLOYMENTS, "one", "bad") is not None

    @virtual_time
    async def test_what_has_the_host_already_stays_with_a_warning(self, server: ApiServer) -> None:
        deploy(server, "one", "web", (HOST, "/"))
        async with operator(server):
            assert warnings(server, "one", "web") == []
        annotate(server, "one", allowed_hosts="")
        before = server.all(INGRESSES)
        async with operator(server, ingress_class="nginx"):
            assert server.all(INGRESSES) != before, "it is written for other changes"
            assert ingresses(server) == {"one/web": [f"{HOST}/"]}
            assert verdict(server, "one", "web")[0] != "Failed"
            ((code, text),) = warnings(server, "one", "web")
            assert code == "HostNotAllowed"
            assert text.startswith("namespace one does not allow shop.example.com; the Ingress stays")
            deploy(server, "one", "web", (HOST, "/"), (HOST, "/api"))
            await settled()
            assert verdict(server, "one", "web") == ("Failed", "HostNotAllowed")
            assert ingresses(server) == {"one/web": [f"{HOST}/"]}

    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            ("not a host", "its entry 1 is not a host name"),
            (None, "the operator may not read the Namespace"),
        ],
    )
    @virtual_time
    async def test_a_rule_that_is_not_known_allows_no_new_host(
        self, server: ApiServer, annotation: str | None, expected: str
    ) -> None:
        if annotation is None:
            server.add_fault("get", NAMESPACES, error=FORBIDDEN)
        else:
            annotate(server, "one", allowed_hosts=annotation)
        deploy(server, "one", "web", (HOST, "/"))
        async with operator(server):
            assert verdict(server, "one", "web") == ("Failed", "HostNotAllowed")
            text = message(server, "one", "web")
            assert text == f"whether namespace one allows shop.example.com is not known: {expected}"
            assert ingresses(server) == {}

    @virtual_time
    async def test_while_the_api_server_does_not_answer_nothing_is_decided(self, server: ApiServer) -> None:
        server.add_fault("get", NAMESPACES, error=Unreachable("no answer"), times=2)
        deploy(server, "one", "web", (HOST, "/"))
        async with operator(server):
            await until(lambda: ingresses(server) == {"one/web": [f"{HOST}/"]})
            assert len(server.sent("get", NAMESPACES)) == 3

    @virtual_time
    async def test_services_without_routes_read_no_namespace(self, server: ApiServer) -> None:
        deploy(server, "one", "web")
        async with operator(server):
            assert server.sent("get", NAMESPACES) == []

    def test_a_retry_sees_newer_rules_than_the_refusal(self) -> None:
        assert WRITE_RETRY.total_seconds() > namespaces.FRESH_SECONDS


class TestTlsSecrets:
    def secret(self, server: ApiServer) -> str:
        (ingress,) = server.all(INGRESSES)
        return str(ingress["spec"]["tls"][0]["secretName"])

    @virtual_time
    async def test_an_ingress_of_an_earlier_release_keeps_its_secret(self, server: ApiServer) -> None:
        deploy(server, "one", "web", (HOST, "/"))
        async with operator(server, tls_issuer="issuer"):
            new = self.secret(server)
            assert new.startswith("web-tls-")
        (ingress,) = server.all(INGRESSES)
        ingress["spec"]["tls"][0]["secretName"] = "web-tls"
        ingress["metadata"]["annotations"]["mill.dev/applied"] = "of 0.1.0"
        server.put(INGRESSES, ingress)
        async with operator(server, tls_issuer="issuer"):
            assert self.secret(server) == "web-tls"
            deploy(server, "one", "web", (HOST, "/"), ("more.example.com", "/"))
            await settled()
            assert self.secret(server) == "web-tls"
            assert len(ingresses(server)["one/web"]) == 2
            server.remove(INGRESSES, "one", "web")
            await settled()
            assert self.secret(server) == new, "it is a new Ingress"
