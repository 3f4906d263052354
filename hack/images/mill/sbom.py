"""The bill of materials: what is in the image, by name, version and license, as CycloneDX has it.

It has neither a serial number nor a time, so that equal images are equal.
"""

from collections.abc import Iterable
from email.message import Message
from email.parser import Parser
from typing import Any, Final
from urllib.parse import quote

DISTRIBUTION: Final = "mill-kubernetes"
_CLASSIFIER: Final = "License :: OSI Approved :: "


def bill(version: str, debian: Iterable[str], python: Iterable[str]) -> dict[str, Any]:
    """Return the document, of the control files of Debian packages and the metadata of Python distributions."""
    components = [
        *sorted((_package(text) for text in debian), key=_name),
        *sorted((_distribution(text) for text in python), key=_name),
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": "mill",
                "name": "mill",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": components,
    }


def _package(text: str) -> dict[str, Any]:
    control = Parser().parsestr(text, headersonly=True)
    name, version = str(control["Package"]), str(control["Version"])
    architecture = f"?arch={control['Architecture']}&distro=debian-12"
    purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='.~')}{architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _distribution(text: str) -> dict[str, Any]:
    metadata = Parser().parsestr(text, headersonly=True)
    name, version = str(metadata["Name"]), str(metadata["Version"])
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}"
    kind = "application" if name == DISTRIBUTION else "library"
    licenses = _licenses(metadata)
    found = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return {**found, "licenses": licenses} if licenses else found


def _licenses(metadata: Message) -> list[dict[str, Any]]:
    """Return an expression if there is one, else names: the classifiers', or that of an older field if it is short."""
    if expression := metadata["License-Expression"]:
        return [{"expression": str(expression)}]
    classifiers = [str(each) for each in metadata.get_all("Classifier", []) if str(each).startswith(_CLASSIFIER)]
    names = [each.removeprefix(_CLASSIFIER) for each in classifiers]
    older = str(metadata["License"] or "")
    if not names and older and "\n" not in older and len(older) < 80:
        names = [older]
    return [{"license": {"name": name}} for name in names]


def _name(component: dict[str, Any]) -> str:
    return str(component["name"]).lower()
