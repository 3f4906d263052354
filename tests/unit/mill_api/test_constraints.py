"""The table of constraints: models, rules and the CRD's CEL refuse the same."""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import celpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mill_api import crd, fields, spec
from mill_api.ports import Port
from mill_api.service_fields import ServiceFields
from mill_api.service_rules import SERVICE_RULES, Breach, ServiceRule
from mill_api.spec import MillDeploymentSpec, Service
from mill_api.text_rules import DURATION, IMAGE, TEXT_RULES
from mill_api.validation import problems

UNCHANGED = " || oldSelf.hasValue() && oldSelf.value() == self"

FIELDS = {
    "service_name": spec.ServiceName,
    "task_name": spec.TaskName,
    "volume_name": spec.VolumeName,
    "host_name": spec.HostName,
    "image": spec.Image,
    "path": spec.AbsolutePath,
    "health_path": fields.HealthPath,
    "duration": spec.Duration,
    "settle": spec.SettleTime,
    "start": fields.StartTime,
    "stop": fields.StopTime,
    "stop_signal": fields.StopSignal,
    "schedule_deadline": fields.ScheduleDeadline,
    "check_timeout": fields.CheckTimeout,
    "architecture": fields.Architecture,
    "pull_secret": fields.PullSecret,
    "port_name": fields.PortName,
    "file_path": fields.FilePath,
    "file_mode": fields.FileMode,
    "secret_name": fields.SecretName,
}
TEXTS = {
    "service_name": st.from_regex(r"[a-z][-a-z0-9]{0,3}[a-z0-9]", fullmatch=True),
    "task_name": st.from_regex(r"[a-z][-a-z0-9]{45,55}", fullmatch=True),
    "volume_name": st.from_regex(r"[-a-z0-9]{1,70}", fullmatch=True),
    "host_name": st.from_regex(r"(\*\.)?[-a-z0-9_.]{1,20}", fullmatch=True),
    "image": st.from_regex(r"[a-zA-Z0-9./:@ _-]{1,12}", fullmatch=True),
    "path": st.from_regex(r"/?[a-z/\n]{0,5}", fullmatch=True),
    "health_path": st.from_regex(r"/?[a-z/\n]{0,5}", fullmatch=True),
    "duration": st.from_regex(r"([0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "settle": st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "check_timeout": st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "start": st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "stop": st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "schedule_deadline": st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,3})?(ms|s|m|h| ))+", fullmatch=True),
    "stop_signal": st.from_regex(r"(SIG)?[A-Za-z0-9+-]{1,9}", fullmatch=True),
    "architecture": st.sampled_from(["amd64", "arm64", "x86_64", "ARM64", "arm/v7"]),
    "pull_secret": st.from_regex(r"[-a-z0-9.]{1,20}", fullmatch=True),
    "port_name": st.from_regex(r"[-a-z0-9]{1,17}", fullmatch=True),
    "file_path": st.from_regex(r"(/[-a-z.:]{0,4}){1,4}", fullmatch=True),
    "file_mode": st.from_regex(r"[0-9]{2,5}", fullmatch=True),
    "secret_name": st.from_regex(r"[-._a-z/]{1,12}", fullmatch=True),
}


def _environment() -> celpy.Environment:
    limit = sys.getrecursionlimit()
    environment = celpy.Environment()
    sys.setrecursionlimit(limit)  # which it changes for the whole process
    return environment


ENVIRONMENT = _environment()


@cache
def _program(rule: str) -> celpy.Runner:
    return ENVIRONMENT.program(ENVIRONMENT.compile(rule))


def _accepts(rule: str, value: Any) -> bool:
    """Evaluate a rule as of an object that is created: there is no old value. An error refuses, as in Kubernetes."""
    inner = rule.removesuffix(UNCHANGED)
    try:
        return bool(_program(inner).evaluate({"self": celpy.json_to_cel(value)}))
    except celpy.CELEvalError:
        return False


def _refusals(schema: dict[str, Any], value: Any) -> Iterator[str]:
    """Yield the messages of the CEL rules that refuse a value, anywhere in it."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if not _accepts(rule["rule"], value):
            yield rule["message"]
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from _refusals(child, value[name])
    if isinstance(value, list):
        for each in value:
            yield from _refusals(schema["items"], each)


def _refused_by_the_model(name: str, text: str) -> bool:
    try:
        TypeAdapter(FIELDS[name]).validate_python(text)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("name", TEXT_RULES)
@given(st.data())
def test_model_rule_and_cel_refuse_the_same_texts(name: str, data: st.DataObject) -> None:
    rule = TEXT_RULES[name]
    text = data.draw(st.one_of(TEXTS[name], st.text(st.characters(codec="ascii", min_codepoint=1), max_size=80)))
    by_model = _refused_by_the_model(name, text)
    by_cel = {each["message"] for each in crd.rules_of_text(rule) if not _accepts(each["rule"], text)}
    refusal = rule.refuse(text)
    if by_model:
        assert refusal is not None
    if rule.strict is None and rule.added_limit is None:
        assert (refusal is not None) == by_model
    within = (rule.min_length or 0) <= len(text) <= rule.max_length
    if rule.has_cel and within and rule.strict is None:
        assert bool(by_cel) == (refusal is not None), (by_cel, refusal)
    if refusal is not None:
        assert refusal.suggestion


def test_a_newline_at_the_end_is_not_part_of_a_name() -> None:
    for name in ("service_name", "task_name", "volume_name", "host_name"):
        assert TEXT_RULES[name].refuse("web") is None
        assert TEXT_RULES[name].refuse("web\n") is not None


def test_a_limit_that_was_added_later_is_no_limit_of_the_model() -> None:
    assert not _refused_by_the_model("duration", "876601h")
    refusal = DURATION.refuse("876601h")
    assert refusal is not None
    assert refusal.message == "invalid duration '876601h': longer than 100 years"
    assert DURATION.refuse("876600h") is None


def test_an_image_is_refused_with_a_suggestion_that_fits() -> None:
    found = [IMAGE.refuse(image) for image in ("https://example.com/web", "Web:1", "web :1")]
    assert [each.suggestion.partition(":")[0] for each in found if each] == [
        "leave the scheme out",
        "use small letters in the image name",
        "write name",
    ]


def _refused_as_a_whole(service: dict[str, Any]) -> bool:
    try:
        Service.model_validate(service)
    except ValidationError:
        return True
    return False


VOLUME = st.fixed_dictionaries(
    {"name": st.sampled_from(["data", "more"]), "path": st.just("/data"), "ephemeral": st.booleans()},
    optional={"size": st.just("1Gi")},
)
HEALTH = st.fixed_dictionaries(
    {},
    optional={
        "path": st.just("/"),
        "command": st.just(["true"]),
        "grpc": st.sampled_from(["", "a.B"]),
        "port": st.sampled_from(["80", "main"]),
        "interval": st.sampled_from(["10s", "5s"]),
        "failureThreshold": st.integers(2, 4),
        "start": st.just("3m"),
    },
)
PORT = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["main", "metrics", "dns"]),
        "number": st.sampled_from([80, 53]),
        "protocol": st.sampled_from(["tcp", "udp"]),
    },
    optional={"outside": st.sampled_from([80, 53])},
)
SERVICE = st.fixed_dictionaries(
    {"name": st.sampled_from(["web", "w" * 60]), "image": st.just("web:1")},
    optional={
        "ports": st.lists(PORT, max_size=3, unique_by=lambda each: each["name"]),
        "port": st.just(80),
        "env": st.dictionaries(
            st.sampled_from(["PORT", "A"]), st.sampled_from(["80", "81", "080", "", "${secret(port)}", "8$${0"])
        ),
        "replicas": st.integers(0, 3),
        "health": HEALTH,
        "after": st.lists(st.sampled_from(["web", "db"]), max_size=2, unique=True),
        "routes": st.lists(st.just({"host": "www.example.com", "path": "/"}), max_size=1),
        "volumes": st.lists(VOLUME, max_size=2, unique_by=lambda each: each["name"]),
    },
)


@settings(deadline=None)
@given(SERVICE)
def test_models_rules_and_cel_refuse_the_same_services(service: dict[str, Any]) -> None:
    schema = crd.structural(MillDeploymentSpec)["properties"]["services"]["items"]
    by_cel = set(_refusals(schema, service))
    messages = {rule.message for rule in SERVICE_RULES}
    assert by_cel <= messages

    volumes = [spec.Volume.model_validate(each) for each in service.get("volumes", ())]
    rest = Service.model_validate({name: service[name] for name in ("name", "image")})
    parts = {
        "port": service.get("port"),
        "ports": [Port.model_validate(each) for each in service.get("ports", ())],
        "env": service.get("env", {}),
        "replicas": service.get("replicas"),
        "health": spec.Health.model_validate(service["health"]) if "health" in service else None,
        "after": service.get("after", []),
        "routes": [spec.Route.model_validate(each) for each in service.get("routes", ())],
        "volumes": volumes,
    }
    found = problems(MillDeploymentSpec.model_construct(services=[rest.model_copy(update=parts)], tasks=[]))
    assert {each.message for each in found} & messages == by_cel

    first = {rule.message for rule in SERVICE_RULES if not rule.is_added_later}
    assert _refused_as_a_whole(service) == bool(by_cel & first)


def test_a_rule_that_is_added_later_is_applied_by_rules_and_cel_and_not_by_the_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def even(service: ServiceFields) -> Iterator[Breach]:
        if (service.port or 1) % 2 == 0:
            yield Breach("port")

    rule = ServiceRule(
        breaches=even,
        message="ports are odd",
        suggestion="choose an odd one",
        cel_model="Service",
        cel="!has(self.port) || self.port % 2 == 1",
        is_added_later=True,
    )
    for module in ("service_rules", "spec", "validation", "crd"):
        monkeypatch.setattr(f"mill_api.{module}.SERVICE_RULES", (rule,))
    read = MillDeploymentSpec.model_validate({"services": [{"name": "web", "image": "web", "port": 80}]})
    assert [str(each) for each in problems(read)] == ["service.web.port: ports are odd"]
    rules = crd.structural(MillDeploymentSpec)["properties"]["services"]["items"]["x-kubernetes-validations"]
    assert rules == [crd.added_later({"rule": rule.cel, "message": rule.message})]


@pytest.mark.parametrize(
    ("rule", "text", "refusal"),
    [
        ("settle", "0s", None),
        ("settle", "5m", None),
        ("settle", "4m60s", None),
        ("settle", "300.001s", "settle must be at most 5m, got '300.001s'"),
        ("settle", "1h", "settle must be at most 5m, got '1h'"),
        ("settle", "soon", "invalid duration 'soon'"),
        ("start", "1ms", None),
        ("start", "1h", None),
        ("start", "60m1ms", "start must be longer than 0s and at most 1h, got '60m1ms'"),
        ("start", "0s", "start must be longer than 0s and at most 1h, got '0s'"),
        ("start", "0h0m", "start must be longer than 0s and at most 1h, got '0h0m'"),
        ("start", "3", "invalid duration '3'"),
    ],
)
def test_the_times_of_an_update_and_of_a_start_have_limits(rule: str, text: str, refusal: str | None) -> None:
    found = TEXT_RULES[rule].refuse(text)
    assert (found and found.message) == refusal
    refused_by_cel = not all(_accepts(each["rule"], text) for each in crd.rules_of_text(TEXT_RULES[rule]))
    assert refused_by_cel == (refusal is not None)


@pytest.mark.parametrize(
    ("rule", "text", "refusal"),
    [
        ("stop", "1s", None),
        ("stop", "5m", None),
        ("stop", "999ms", "stop must be from 1s to 5m, got '999ms'"),
        ("stop", "5m1s", "stop must be from 1s to 5m, got '5m1s'"),
        ("stop", "long", "invalid duration 'long'"),
        ("stop_signal", "SIGQUIT", None),
        ("stop_signal", "SIGRTMIN+3", None),
        ("stop_signal", "QUIT", "'QUIT' is not a signal"),
        ("stop_signal", "9", "'9' is not a signal"),
    ],
)
def test_how_a_program_ends_has_limits_that_the_crd_does_not_know(rule: str, text: str, refusal: str | None) -> None:
    found = TEXT_RULES[rule].refuse(text)
    assert (found and found.message) == refusal
