"""Options of all commands: before a command's name, after it, in between, or from the environment."""

import pytest

from tests.cli.conftest import TOKEN, Mill
from tests.cli.fake_gateway import FakeGateway, as_json

ROUTE = "/v1/secrets"
OTHER = "tok-of-the-command-line"


@pytest.fixture
def takes(gateway: FakeGateway) -> FakeGateway:
    gateway.answers("GET", ROUTE, as_json([]))
    return gateway


@pytest.mark.parametrize(
    "arguments",
    [
        ["--namespace", "shop", "--json", "secret", "list"],
        ["secret", "-n", "shop", "--json", "list"],
        ["secret", "list", "--json", "--namespace=shop"],
        ["--json", "secret", "-nshop", "list"],
        ["-n", "other", "secret", "list", "-n", "shop", "--json"],
        ["-n", "one", "secret", "-n", "shop", "list", "--json", "--json"],
    ],
    ids=" ".join,
)
def test_wherever_they_stand_and_the_last_one_counts(mill: Mill, takes: FakeGateway, arguments: list[str]) -> None:
    done = mill(*arguments)
    assert (done.stdout, done.stderr, done.code) == ("[]\n", "", 0)
    assert takes.requests == [("GET", ROUTE, {"namespace": "shop"})]


def test_they_beat_the_environment(mill: Mill, takes: FakeGateway) -> None:
    environment = {"MILL_NAMESPACE": "shop", "MILL_ADDRESS": "http://127.0.0.1:1", "MILL_TOKEN": "tok-of-environment"}
    arguments = ["secret", "list", "--address", takes.url + "//", "-n", "other", "--token", OTHER]
    assert mill(*arguments, **environment).code == 0
    assert takes.requests == [("GET", ROUTE, {"namespace": "other"})]
    assert takes.asked[0].headers["authorization"] == f"Bearer {OTHER}"


def test_the_environment_alone(mill: Mill, takes: FakeGateway) -> None:
    takes.answers("GET", "/v1/deployments/blue", as_json({}))
    assert mill("history", "--rollouts", MILL_NAMESPACE="shop", MILL_NAME="blue").code == 0
    assert takes.requests == [("GET", "/v1/deployments/blue", {"namespace": "shop"})]


def test_variables_that_are_empty_are_not_set(mill: Mill, takes: FakeGateway) -> None:
    names = ("TOKEN", "NAMESPACE", "NAME", "CONTEXT", "GATEWAY", "CA_FILE")
    assert mill("secret", "list", **{f"MILL_{name}": "" for name in names}).code == 0
    assert takes.requests == [("GET", ROUTE, {})]
    assert "authorization" not in takes.asked[0].headers
    done = mill.nowhere()("secret", "list", MILL_ADDRESS="", MILL_CONTEXT="")
    assert (done.code, "(address: http://127.0.0.1:1)" in done.stderr) == (2, True)


@pytest.mark.parametrize("token", ["two words\n", "  two words \r\n"])
def test_white_space_around_a_token_is_none_of_it(mill: Mill, takes: FakeGateway, token: str) -> None:
    assert mill("secret", "list", MILL_TOKEN=token).code == 0
    assert takes.asked[0].headers["authorization"] == "Bearer two words"


@pytest.mark.parametrize("token", ["tok-5e1f0c77a2-ö", "tok-5e1f\n0c77a2", "tok\x7f5e1f"])
def test_what_can_be_no_token_is_neither_sent_nor_shown(mill: Mill, takes: FakeGateway, token: str) -> None:
    done = mill("secret", "list", MILL_TOKEN=token)
    assert (done.stdout, done.code, takes.asked) == ("", 2, [])
    assert done.stderr == "error: the token contains invalid characters\n  help: check --token and MILL_TOKEN\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "error"),
    [
        (["--address", "http://x", "--context", "y"], {}, "--address and --context exclude each other"),
        (["--address", "localhost:4400"], {}, "invalid gateway address: localhost:4400"),
        (["--address", "ftp://x"], {}, "invalid gateway address: ftp://x"),
        (["--address", "http://x:99999"], {}, "invalid gateway address: http://x:99999"),
        (["--address", "http://"], {}, "invalid gateway address: http:"),
        ([], {"MILL_ADDRESS": "gateway"}, "invalid gateway address: gateway"),
        (["--context", "y", "--gateway", "z"], {}, "invalid Service reference: z"),
        (["-n", "Bad NS"], {}, "invalid namespace: Bad NS"),
        (["-n", "shop/mill"], {}, "invalid namespace: shop/mill"),
        (["--name", "blue_green"], {}, "invalid name of a deployment: blue_green"),
        ([], {"MILL_NAMESPACE": "a" * 64}, f"invalid namespace: {'a' * 64}"),
    ],
)
def test_invalid_options_are_wrong_usage(
    mill: Mill, arguments: list[str], variables: dict[str, str], error: str
) -> None:
    done = mill("nodes", *arguments, **variables)
    assert (done.stdout, done.code) == ("", 2)
    first, advice = done.stderr.splitlines()
    assert first == f"error: {error}"
    assert advice.startswith(("  help: give ", "  help: include ", "  help: use ", "  help: check "))


def test_verbose_is_an_option_like_any_other(mill: Mill, takes: FakeGateway) -> None:
    assert mill("-v", "secret", "list", "-v").code == 0
    done = mill("-v", "secret", "set", "k", "--address", "http://127.0.0.1:1", stdin="x")
    assert done.code == 2


def test_a_token_from_a_file(mill: Mill, takes: FakeGateway) -> None:
    file = mill.folder / mill.file(f"{OTHER}\n", "token")
    file.chmod(0o600)
    for arguments, variables, expected in (
        (["--token-file", "token"], {}, OTHER),
        ([], {"MILL_TOKEN": "", "MILL_TOKEN_FILE": "token"}, OTHER),
        ([], {"MILL_TOKEN_FILE": "gone"}, TOKEN),
        (["--token", OTHER], {"MILL_TOKEN": "", "MILL_TOKEN_FILE": "gone"}, OTHER),
    ):
        done = mill("secret", "list", "--json", *arguments, **variables)
        assert (done.stdout, done.stderr, done.code) == ("[]\n", "", 0)
        assert takes.asked[-1].headers["authorization"] == f"Bearer {expected}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_token_in_a_file_that_others_can_read_is_warned_of(mill: Mill, takes: FakeGateway, mode: int) -> None:
    (mill.folder / mill.file(OTHER, "token")).chmod(mode)
    done = mill("secret", "list", "--json", "--token-file", "token")
    assert (done.stdout, done.code) == ("[]\n", 0)
    assert done.stderr == f"warning: others can read the token in token (mode {mode:04o})\n  help: chmod 600 token\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "error: token: No such file or directory\n"),
        ("", "error: token: not a token\n  help: write one token to the file, on one line\n"),
        ("a\nb", "error: token: not a token\n  help: write one token to the file, on one line\n"),
        ("x" * 70_000, "error: token: not a token\n  help: write one token to the file, on one line\n"),
    ],
)
def test_a_file_without_a_valid_token_is_refused(mill: Mill, takes: FakeGateway, text: str | None, error: str) -> None:
    if text is not None:
        mill.file(text, "token")
    done = mill("secret", "list", "--token-file", "token")
    assert (done.stdout, done.stderr, done.code, takes.asked) == ("", error, 4, [])
    good = mill.file('task "migrate" {\n  image = "web:1"\n}\n', "good.mill")
    assert mill("validate", good, "--token-file", "token").code == 0


def test_a_token_is_given_once(mill: Mill, takes: FakeGateway) -> None:
    done = mill("secret", "list", "--token", OTHER, "--token-file", "token")
    assert done.stderr.startswith("error: --token and --token-file exclude each other\n")
    assert (done.code, takes.asked) == (2, [])
