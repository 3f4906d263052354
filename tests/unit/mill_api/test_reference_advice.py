"""What to write instead of expressions that are no references."""

import pytest

from mill_api.reference_advice import advise
from mill_api.spec import MillDeploymentSpec
from mill_api.validation import problems


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("secrets(key)", "${secret(key)}"),
        ("sercet(db.password)", "${secret(db.password)}"),
        (" secret( key ) ", "${secret(key)}"),
        ("secret.key", "${secret(key)}"),
        ("secrets.db.password", "${secret(db.password)}"),
        ('secrets("key")', "${secret(key)}"),
        ("service.api", "${service.api.address}"),
        ("services.api.host", "${service.api.host}"),
        ("service.api.adrs", "${service.api.address}"),
        ("service.api.port ", "${service.api.port}"),
    ],
)
def test_the_reference_that_was_probably_meant(expression: str, meant: str) -> None:
    advice = advise(expression)
    assert advice is not None
    assert (advice.meant, advice.help) == (meant, f"did you mean {meant}?")


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ('file("motd")', '--var NAME="$(cat motd)"'),
        ('file("motd")', 'a block file "/path" { from = "motd" }'),
        ('templatefile("a b", {})', '--var NAME="$(cat FILE)"'),
        ('env("HOME")', "give it by MILL_VAR_HOME, and write ${var.HOME}"),
        ("env.HOME", "give it by MILL_VAR_HOME, and write ${var.HOME}"),
        ('upper("x")', "mill has no functions"),
        ("concat([a], [b])", "mill has no functions"),
        ("var.tag", 'declare it: variable "tag" { default = "…" }'),
        ("local.tag", 'variable "tag" { default = "…" }, and write ${var.tag}'),
        ("data.a.b", "mill has variables only"),
        ("null", "leave the line out"),
        ("HOME", "$${HOME} stands for the text ${HOME}"),
    ],
)
def test_what_mill_has_instead(expression: str, part: str) -> None:
    advice = advise(expression)
    assert advice is not None
    assert part in advice.help
    assert advice.meant is None


@pytest.mark.parametrize(
    "expression", ["", "a/b", "secret(a/b)", "service.api.name", "service.A_B.host", "a ? b : c", "x" * 100_000]
)
def test_where_nothing_is_known_of_what_was_meant(expression: str) -> None:
    assert advise(expression) is None


def test_a_refused_spec_says_what_was_meant_in_its_line() -> None:
    service = {"name": "web", "image": "web:1", "env": {"KEY": "${secrets(key)}"}}
    (found,) = problems(MillDeploymentSpec.model_validate({"services": [service]}))
    assert str(found) == "service.web.env.KEY: unknown reference '${secrets(key)}'; did you mean ${secret(key)}?"
