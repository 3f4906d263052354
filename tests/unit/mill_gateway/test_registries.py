"""`/v1/registries` before the in-memory API server."""

import base64
import json

from mill_kube.errors import ApiError
from mill_kube.resources import SECRETS
from tests.support.gateway.served import Serve

PATH = "/v1/registries"
GHCR = {"host": "ghcr.io", "username": "ci", "password": "s3cret-word"}


async def test_credentials_are_set_listed_and_removed(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.http.get(PATH)).json() == []
        assert (await served.http.put(PATH, json=GHCR)).status_code == 204
        assert (await served.http.put(PATH, json={**GHCR, "host": "docker.io"})).status_code == 204
        listed = await served.http.get(PATH)
        assert listed.json() == [{"host": "docker.io", "username": "ci"}, {"host": "ghcr.io", "username": "ci"}]
        assert listed.headers["Cache-Control"] == "no-store"
        stored = served.api.find(SECRETS, "default", "mill-registries")
        assert stored is not None
        assert stored["type"] == "kubernetes.io/dockerconfigjson"
        document = json.loads(base64.b64decode(stored["data"][".dockerconfigjson"]))
        assert document["auths"]["ghcr.io"]["password"] == "s3cret-word"
        assert (await served.http.delete(PATH, params={"host": "ghcr.io"})).status_code == 204
        missing = await served.http.delete(PATH, params={"host": "ghcr.io"})
        assert (missing.status_code, missing.json()["code"]) == (404, "registry_not_found")
        assert missing.json()["existing"] == ["docker.io"]


async def test_what_is_no_host_or_no_credentials_is_refused(serve: Serve) -> None:
    async with serve() as served:
        answer = await served.http.put(PATH, json={**GHCR, "host": "no host"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_registry")
        empty = await served.http.put(PATH, json={**GHCR, "password": ""})
        assert empty.status_code in (400, 422)
        assert "s3cret-word" not in (await served.http.put(PATH, json={**GHCR, "username": 5})).text
        two = await served.http.put(PATH, json={**GHCR, "username": "shop:s3cret-word"})
        assert (two.status_code, "colon" in two.text, "s3cret-word" in two.text) == (422, True, False)


async def test_a_secret_of_another_type_is_left_alone(serve: Serve) -> None:
    async with serve() as served:
        other = {"metadata": {"name": "mill-registries", "namespace": "default"}, "type": "Opaque", "data": {}}
        served.api.put(SECRETS, other)
        answer = await served.http.put(PATH, json=GHCR)
        assert (answer.status_code, answer.json()["code"]) == (409, "registries_unreadable")
        assert "s3cret-word" not in answer.text


async def test_a_secret_that_the_cluster_does_not_change_is_named(serve: Serve) -> None:
    """It is immutable, or grows too large."""
    async with serve() as served:
        assert (await served.http.put(PATH, json=GHCR)).status_code == 204
        refusal = ApiError(422, "Invalid", f"data: Forbidden: field is immutable: {GHCR['password']}")
        served.api.add_fault("patch", SECRETS, times=1, error=refusal)
        answer = await served.http.put(PATH, json={**GHCR, "host": "docker.io"})
    assert (answer.status_code, answer.json()["code"]) == (409, "registries_unreadable")
    assert "see whether the Secret mill-registries is immutable" in answer.json()["error"]
    assert GHCR["password"] not in answer.text
