"""The document of registry credentials: read and changed without a loss of what others wrote."""

import base64
import json
from typing import Any

import pytest

from mill_gateway.core.registries import (
    KEY,
    TYPE,
    Registry,
    UnreadableCredentials,
    host_of,
    registries_of,
    with_registry,
    without_registry,
)


def secret(document: Any) -> dict[str, Any]:
    text = document if isinstance(document, str) else json.dumps(document)
    return {"type": TYPE, "data": {KEY: base64.b64encode(text.encode()).decode()}}


def document(encoded: str | None) -> Any:
    assert encoded is not None
    return json.loads(base64.b64decode(encoded))


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        (" GHCR.io/ ", "ghcr.io"),
        ("https://registry.example.com:5000/team", "registry.example.com:5000/team"),
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry", "registry"),
        ("", None),
        ("not a host", None),
        ("a" * 300, None),
        ("ghcr.io\nx", None),
        ("*.example.com", None),
    ],
)
def test_a_host_is_as_image_names_have_it(given: str, host: str | None) -> None:
    assert host_of(given) == host


def test_credentials_are_as_kubelets_read_them() -> None:
    made = document(with_registry(None, "ghcr.io", "ci", "s:cret"))
    auth = base64.b64encode(b"ci:s:cret").decode()
    assert made == {"auths": {"ghcr.io": {"username": "ci", "password": "s:cret", "auth": auth}}}
    assert list(document(with_registry(None, "docker.io", "ci", "x"))["auths"]) == ["https://index.docker.io/v1/"]


def test_what_others_wrote_stays() -> None:
    before = {
        "credHelpers": {"x": "y"},
        "auths": {"quay.io": {"auth": "cXVheTp4", "email": "a@b"}, "https://ghcr.io": {}},
    }
    made = document(with_registry(secret(before), "ghcr.io", "ci", "x"))
    assert made["credHelpers"] == {"x": "y"}
    assert made["auths"]["quay.io"] == before["auths"]["quay.io"]  # type: ignore[index]
    assert sorted(made["auths"]) == ["ghcr.io", "quay.io"]
    left = document(without_registry(secret(made), "ghcr.io"))
    assert sorted(left["auths"]) == ["quay.io"]
    assert without_registry(secret(made), "other.io") is None


def test_registries_are_listed_without_passwords() -> None:
    auths = {"quay.io": {"auth": "cXVheTp4"}, "ghcr.io": {"username": "ci", "password": "x"}, "odd.io": {"auth": "%"}}
    assert registries_of(secret({"auths": auths})) == [
        Registry(host="ghcr.io", username="ci"),
        Registry(host="odd.io", username=None),
        Registry(host="quay.io", username="quay"),
    ]
    assert registries_of({}) == []
    assert registries_of({"type": TYPE, "data": {}}) == []


@pytest.mark.parametrize("broken", ["[]", "{", "x" * 10, "[" * 100_000])
def test_a_document_that_is_none_is_not_changed(broken: str) -> None:
    with pytest.raises(UnreadableCredentials):
        registries_of(secret(broken))


@pytest.mark.parametrize("auths", [[], "x", {"ghcr.io": 1}, {"ghcr.io": {"auth": 1, "username": 2}}])
def test_entries_of_any_form_are_read(auths: Any) -> None:
    assert all(each.username is None for each in registries_of(secret({"auths": auths})))


def test_a_secret_of_another_type_is_not_changed() -> None:
    with pytest.raises(UnreadableCredentials, match="type"):
        registries_of({"type": "Opaque", "data": {}})
