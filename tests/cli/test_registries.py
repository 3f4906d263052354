"""`mill registry`: credentials go to the gateway, and to no other place."""

import json

from tests.cli.conftest import Mill
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal


def test_a_password_from_a_pipe_is_sent_and_not_printed(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("PUT", "/v1/registries", Answer(204))
    done = mill("registry", "login", "ghcr.io", "-u", "ci", "--password-stdin", "-n", "shop", stdin="s3cret-word\n")
    assert (done.stdout, done.code) == ("", 0)
    assert done.stderr.splitlines()[0] == "credentials for ghcr.io set"
    assert "s3cret-word" not in done.stderr
    (asked,) = gateway.asked
    assert json.loads(asked.body) == {"host": "ghcr.io", "username": "ci", "password": "s3cret-word"}
    assert asked.query == {"namespace": "shop"}


def test_without_a_terminal_user_and_password_are_given(mill: Mill, gateway: FakeGateway) -> None:
    assert mill("registry", "login", "ghcr.io", stdin="").code == 2
    done = mill("registry", "login", "ghcr.io", "-u", "ci", stdin="x")
    assert (done.code, "--password-stdin" in done.stderr) == (2, True)
    assert mill("registry", "login", "ghcr.io", "-u", "ci", "--password-stdin", stdin="\n").code == 2
    assert gateway.asked == []


def test_registries_are_listed_and_removed(mill: Mill, gateway: FakeGateway) -> None:
    found = [{"host": "docker.io", "username": None}, {"host": "ghcr.io", "username": "ci"}]
    gateway.answers("GET", "/v1/registries", as_json(found))
    assert [line.split() for line in mill("registry", "list").stdout.splitlines()] == [
        ["HOST", "USER"],
        ["docker.io"],
        ["ghcr.io", "ci"],
    ]
    gateway.answers("DELETE", "/v1/registries", Answer(204))
    assert mill("registry", "logout", "ghcr.io").stderr == "credentials for ghcr.io removed\n"
    gateway.answers("DELETE", "/v1/registries", refusal(404, "no credentials for this registry"))
    assert mill("registry", "logout", "quay.io").code == 1
