"""An application with the image `standin` instead of its own: the same ports, checks, files, users and references.

Small enough for a local cluster, and without what that has not: addresses from outside, other architectures, the
application's pull secret.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from mill_api.spec import MillDeploymentSpec

Json: TypeAlias = dict[str, Any]

_SECRET: Final = re.compile(r"\$\{secret\(([^)]+)\)\}")
_SMALL: Final = {"cpu": "20m", "memory": "24M"}


def stand_in(spec: MillDeploymentSpec, image: str, domain: str) -> MillDeploymentSpec:
    """Return the services of an application with the image of its stand-in, at hosts below `domain`."""
    services = [_service(each, image, domain) for each in _services(spec)]
    return MillDeploymentSpec.model_validate({"services": services})


def commands(spec: MillDeploymentSpec) -> set[str]:
    """Return the programs that the application's services start, which the image must have: absolute, or names."""
    lists = [each.get("command") for each in _services(spec)]
    lists += [check.get("command") for each in _services(spec) for check in _checks(each)]
    return {_absolute(each[0]) for each in lists if each}


def secrets(spec: MillDeploymentSpec) -> set[str]:
    """Return the names of the secrets that the application refers to."""
    mounted = {file["secret"] for each in _services(spec) for file in each.get("files", ()) if file.get("secret")}
    return mounted | set(_SECRET.findall(json.dumps(_services(spec))))


def _services(spec: MillDeploymentSpec) -> list[Json]:
    services: list[Json] = json.loads(json.dumps(spec.to_wire())).get("services", [])
    return services


def _service(service: Json, image: str, domain: str) -> Json:
    left_out = ("replicas", "pull", "place", "gpu", "labels", "annotations", "limits")
    made = {name: value for name, value in service.items() if name not in left_out} | _SMALL | {"image": image}
    if "limits" in service:
        made["limits"] = {"cpu": "100m", "memory": "32M"}
    if "command" in service:
        made["command"] = [_absolute(service["command"][0]), *service["command"][1:]]
    made["ports"] = [{key: each[key] for key in each if key != "outside"} for each in service.get("ports", ())]
    made["routes"] = [
        {**each, "host": f"{each['host'].replace('.', '-')}.{domain}"} for each in service.get("routes", ())
    ]
    needed = {
        "STANDIN_PORTS": sorted(_ports(service)),
        "STANDIN_READS": [each["path"] for each in service.get("files", ())],
        "STANDIN_WRITES": [each["path"] for each in service.get("volumes", ())],
        "STANDIN_PATHS": sorted({each["path"] for each in _checks(service) if "path" in each}),
    }
    made["env"] = service.get("env", {}) | {name: " ".join(texts) for name, texts in needed.items() if texts}
    return made


def _ports(service: Json) -> Iterator[str]:
    """Yield the ports beside the main one, as the stand-in takes them. What speaks HTTP accepts connections, too."""
    main = service.get("port")
    numbers = {str(each["number"]) for each in service.get("ports", ()) if each.get("protocol", "tcp") == "tcp"}
    numbers |= {str(each["port"]) for each in _checks(service) if str(each.get("port", "")).isdecimal()}
    yield from numbers - {str(main)}
    yield from (f"{each['number']}/udp" for each in service.get("ports", ()) if each.get("protocol") == "udp")


def _checks(service: Json) -> list[Json]:
    return [service[name] for name in ("health", "live") if service.get(name)]


def _absolute(program: str) -> str:
    """Return a program of the image: a name is found by PATH, and the image has no working directory."""
    return "/" + program.removeprefix("./").lstrip("/") if "/" in program else program
