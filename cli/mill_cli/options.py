"""The global options, before or after the name of a command, and their environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import click

from mill_api.names import DNS_LABEL
from mill_cli.errors import CliError, Exit

_TOKEN: Final = re.compile(r"[ -~]+")
"""Characters that a header can have."""


def is_token(text: str) -> bool:
    """Whether a text can be a token."""
    return _TOKEN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Options:
    """Values of the global options; None or False where none was given."""

    address: str | None = None
    context: str | None = None
    gateway: str | None = None
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    namespace: str | None = None
    name: str | None = None
    as_json: bool = False
    verbose: bool = False
    quiet: bool = False

    def merged_over(self, others: "Options | None") -> "Options":
        """Return these options, with the others as defaults."""
        if others is None:
            return self
        return Options(**{each.name: getattr(self, each.name) or getattr(others, each.name) for each in fields(self)})

    def with_environment(self, environment: Mapping[str, str]) -> "Options":
        """Return these options, with the environment as defaults. Raise `CliError` for options that exclude each other.

        An empty variable counts as unset. An option for the address or the token overrides all variables for it.
        """
        if self.address and self.context:
            raise CliError(Exit.USAGE, "--address and --context exclude each other", "give one of them")
        if self.token and self.token_file:
            raise CliError(Exit.USAGE, "--token and --token-file exclude each other", "give one of them")
        if self.quiet and self.verbose:
            raise CliError(Exit.USAGE, "--quiet and --verbose exclude each other", "give one of them")
        environment = {name: value for name, value in environment.items() if value}
        address = None if self.context else environment.get("MILL_ADDRESS")
        variables = Options(
            address=address,
            context=None if self.address or address else environment.get("MILL_CONTEXT"),
            gateway=environment.get("MILL_GATEWAY"),
            token=None if self.token_file else environment.get("MILL_TOKEN", "").strip(),
            token_file=Path(environment["MILL_TOKEN_FILE"])
            if "MILL_TOKEN_FILE" in environment and not self.token and not environment.get("MILL_TOKEN", "").strip()
            else None,
            ca_file=Path(environment["MILL_CA_FILE"]) if "MILL_CA_FILE" in environment else None,
            namespace=environment.get("MILL_NAMESPACE"),
            name=environment.get("MILL_NAME"),
        )
        found = self.merged_over(variables)
        if found.token and not is_token(found.token):
            raise CliError(Exit.USAGE, "the token contains invalid characters", "check --token and MILL_TOKEN")
        for what, given, source in (
            ("namespace", found.namespace, "--namespace and MILL_NAMESPACE"),
            ("name of a deployment", found.name, "--name and MILL_NAME"),
        ):
            if given and re.fullmatch(DNS_LABEL, given) is None:
                advice = f"check {source}: it has at most 63 lower case letters, digits and dashes"
                raise CliError(Exit.USAGE, f"invalid {what}: {given}", advice)
        return found

    @property
    def deployment(self) -> str:
        """The name of the MillDeployment."""
        return self.name or "mill"

    @property
    def query(self) -> dict[str, str]:
        """Query parameters that select the namespace and the MillDeployment."""
        return {key: value for key, value in (("namespace", self.namespace), ("name", self.name)) if value}

    @property
    def where(self) -> dict[str, str]:
        """Query parameters that select the namespace."""
        return {"namespace": self.namespace} if self.namespace else {}


PREFIX = "all_"
"""Prefix of their parameter names, since a command may have a parameter of the same name."""


def shared(without: str = "") -> list["SharedOption"]:
    """Return the global options for click, except for the short form in `without`, which a command uses itself."""

    def option(*names: str, **settings: Any) -> SharedOption:
        written, name = [each for each in names[:-1] if each != without], names[-1]
        return SharedOption([*written, PREFIX + name], **settings)

    return [
        option(
            *("--address", "address"),
            metavar="URL",
            help="Address of the gateway. [MILL_ADDRESS; default: http://127.0.0.1:4400]",
        ),
        option(
            *("--context", "context"),
            metavar="NAME",
            help="Connect to the gateway in the cluster of this kubeconfig context, through kubectl. [MILL_CONTEXT]",
        ),
        option(
            *("--gateway", "gateway"),
            metavar="SERVICE",
            help="The gateway's Service in that cluster, as namespace/name:port, with https: before it if it uses TLS. "
            "[MILL_GATEWAY; default: mill-system/mill-gateway:4400]",
        ),
        option(
            *("--token", "token"),
            metavar="TOKEN",
            help="The gateway's token, or a Kubernetes token. Prefer MILL_TOKEN: command-line arguments are visible to "
            "other users. [MILL_TOKEN]",
        ),
        option(
            *("--token-file", "token_file"),
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Read the token from a file. [MILL_TOKEN_FILE]",
        ),
        option(
            *("--ca-file", "ca_file"),
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Also trust the certificate authorities of this PEM file. [MILL_CA_FILE]",
        ),
        option(
            *("--namespace", "-n", "namespace"),
            metavar="NAME",
            help="Namespace. [MILL_NAMESPACE; default: the gateway's own]",
        ),
        option(*("--name", "name"), metavar="NAME", help="Name of the MillDeployment. [MILL_NAME; default: mill]"),
        option(*("--json", "as_json"), is_flag=True, help="Print only JSON, one value per line."),
        option(
            *("--verbose", "-v", "verbose"),
            is_flag=True,
            help="Print details to stderr: evidence and suggestions of failures, lost connections.",
        ),
        option(
            *("--quiet", "-q", "quiet"),
            is_flag=True,
            help="Print only failures, errors and final results: no progress, no confirmations.",
        ),
    ]


class SharedOption(click.Option):
    """A global option."""


def pop_options(given: dict[str, Any]) -> Options:
    """Remove the global options from the parameters of a command and return them."""
    return Options(**{each.name: given.pop(PREFIX + each.name) for each in fields(Options)})
