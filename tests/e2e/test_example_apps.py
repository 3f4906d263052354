"""The example applications: all are accepted by the API server, and some run, with stand-ins for their images.

All that run are deployed at once, each into a namespace of its own, so that the file takes as long as the slowest.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from hack import images, paths
from hack.cluster import Cluster, node_images
from mill_language import render
from tests.support.example_apps import APPS, read, spec_of
from tests.support.standing_in import commands, secrets, stand_in

from .conftest import Finished, Namespace, new_namespace

RUN: Final = ("coredns", "gitea", "mastodon", "microservices-demo", "n8n", "podinfo", "wordpress")
VALUE: Final = "value of {}"
"""The value of a secret."""


@dataclass(frozen=True)
class App:
    """An application that was deployed."""

    namespace: Namespace
    done: Finished
    """`mill deploy`."""

    def ask(self, service: str, port: int, what: str) -> httpx.Response:
        """Ask a pod of a service about itself: `file?path=/etc/hosts`."""
        address = next(iter(self.namespace.ready_pods(service).values()))
        return httpx.get(f"http://{address}:{port}/-/{what}", timeout=10)

    def execute(self, service: str, *command: str) -> str:
        """Return what a command in a pod of a service prints."""
        return self.namespace.kubectl("exec", f"deployment/{service}", "--", *command)


@pytest.fixture(scope="module")
def apps(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, App]]:
    """The applications, by their names, after `mill deploy` has ended."""
    needed = set().union(*(commands(spec_of(name)) for name in RUN))
    image = images.push_standin(cluster.registry, "apps", commands=sorted(needed), user="0:0")
    node_images.forget(image)
    with contextlib.ExitStack() as stack:
        folders = {name: tmp_path_factory.mktemp(name) for name in RUN}
        spaces = {name: stack.enter_context(new_namespace(cluster, folders[name], f"e2e-{name}")) for name in RUN}
        for space, claim in ((spaces[name], claim) for name in RUN for claim in _claims_of_users(name)):
            stack.enter_context(_disk(space, claim))
        with ThreadPoolExecutor(4) as pool:
            deployed = pool.map(lambda name: App(spaces[name], _deploy(spaces[name], name, image)), RUN)
            yield dict(zip(RUN, deployed, strict=True))


def _deploy(namespace: Namespace, name: str, image: str) -> Finished:
    spec = spec_of(name)
    values = [f"--from-literal={each}={VALUE.format(each)}" for each in sorted(secrets(spec))]
    namespace.kubectl("create", "secret", "generic", "mill-secrets", *values)
    return namespace.deploy(render(stand_in(spec, image, f"{namespace.name}.example.com")))


def _claims_of_users(name: str) -> list[str]:
    """Return the claims of an application that programs write as users other than root."""
    return [volume.name for each in spec_of(name).services if each.group is not None for volume in each.volumes]


@contextlib.contextmanager
def _disk(namespace: Namespace, claim: str) -> Iterator[None]:
    """Have a volume for a claim: a folder whose group follows the pod, as that of a real disk does.

    What the local cluster's own class provides is of the kind hostPath, which stays root's.
    """
    if namespace.cluster.kind_of != "embedded":
        yield
        return
    folder = paths.VOLUMES / f"{namespace.name}-{claim}"
    folder.mkdir(parents=True)
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-1"]}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": folder.name},
        "spec": {
            "claimRef": {"namespace": namespace.name, "name": claim},
            "storageClassName": "standard",
            "capacity": {"storage": "1Ti"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
    namespace.kubectl("create", "-f", "-", stdin=json.dumps(volume))
    try:
        yield
    finally:
        namespace.kubectl("delete", "persistentvolume", folder.name, "--wait=false")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", RUN)
def test_an_application_settles(apps: dict[str, App], name: str) -> None:
    app = apps[name]
    assert app.done.code == 0, app.done.stdout + app.done.stderr
    services = spec_of(name).services
    assert app.namespace.status()["healthy"] == f"{len(services)}/{len(services)}"


def test_the_api_server_accepts_every_application(shared: Namespace) -> None:
    items = [read(file).spec.to_resource({"name": file.stem}) for file in APPS]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    accepted = shared.kubectl("create", "--dry-run=server", "-f", "-", "-o", "name", stdin=text).split()
    assert [each.partition("/")[2] for each in accepted] == [file.stem for file in APPS]


def test_programs_of_one_image_share_an_environment_and_differ_by_arguments(apps: dict[str, App]) -> None:
    main, worker = (apps["n8n"].ask(name, 5678, "env").json() for name in ("n8n", "n8n-worker"))
    shared = {name: value for name, value in main.items() if name.startswith(("DB_", "N8N_", "QUEUE_"))}
    assert shared.items() <= worker.items()
    assert shared["DB_POSTGRESDB_HOST"] == f"postgres.{apps['n8n'].namespace.name}.svc"
    assert (shared["DB_POSTGRESDB_PORT"], shared["DB_POSTGRESDB_PASSWORD"]) == ("5432", VALUE.format("n8n.db-password"))
    assert apps["n8n"].ask("n8n", 5678, "args").json() == ["/bin/standin"]
    assert apps["n8n"].ask("n8n-worker", 5678, "args").json() == ["/bin/standin", "worker"]


def test_files_beside_an_application_arrive_with_their_mode(apps: dict[str, App]) -> None:
    path = "/docker-entrypoint-initdb.d/init-data.sh"
    answer = apps["n8n"].ask("postgres", 5432, f"file?path={path}")
    assert answer.text == (Path(__file__).parents[2] / "examples" / "apps" / "n8n" / "init-data.sh").read_text()
    assert answer.headers["X-Mode"] == "0755"


def test_secrets_arrive_as_files(apps: dict[str, App]) -> None:
    for service, port in (("db", 3306), ("wordpress", 80), ("phpmyadmin", 80)):
        answer = apps["wordpress"].ask(service, port, "file?path=/run/secrets/db-password")
        assert answer.text == VALUE.format("wordpress.db-password")


def test_a_second_port_is_reached_by_the_reference_to_it(apps: dict[str, App]) -> None:
    n8n = apps["n8n"]
    for runner, service in (("n8n-runner", "n8n"), ("n8n-worker-runner", "n8n-worker")):
        broker = json.loads(n8n.execute(runner, "standin", "get", "http://localhost:8080/-/env"))
        url = broker["N8N_RUNNERS_TASK_BROKER_URI"]
        assert url == f"http://{service}.{n8n.namespace.name}.svc:5679"
        assert json.loads(n8n.execute(runner, "standin", "get", f"{url}/-/id"))["user"] == 1000


def test_udp_is_reached_beside_tcp_on_the_same_port(apps: dict[str, App]) -> None:
    coredns = apps["coredns"]
    address = f"dns.{coredns.namespace.name}.svc:53"
    assert coredns.execute("dns", "standin", "send", "udp", address, "question") == "question\n"
    assert coredns.execute("dns", "standin", "get", f"http://{address}/-/args")


def test_a_user_writes_its_own_disk(apps: dict[str, App]) -> None:
    mastodon = apps["mastodon"]
    identity = mastodon.ask("web", 3000, "id").json()
    assert (identity["user"], identity["group"]) == (991, 991)
    # The stand-in would have ended, had it not been able to write this.
    path = "/mastodon/public/system/standin"
    assert mastodon.execute("web", "standin", "read", path) == "written\n"
    assert mastodon.ask("web", 3000, "args").json()[1:] == ["bundle", "exec", "puma", "-C", "config/puma.rb"]


def test_checks_send_their_headers_and_the_root_is_read_only(apps: dict[str, App]) -> None:
    demo = apps["microservices-demo"]
    (probe,) = (each for each in demo.ask("frontend", 8080, "probes").json() if each["path"] == "/_healthz")
    assert probe["headers"]["Cookie"].startswith("shop_session-id=x-")
    (address,) = demo.namespace.ready_pods("frontend").values()
    refused = httpx.post(f"http://{address}:8080/-/write?path=/written", content=b"x", timeout=10)
    assert (refused.status_code, "read-only file system" in refused.text) == (500, True)
