"""The options that every command has, before its name or after it, and the environment variables behind them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import click

from mill_cli.errors import CliError, Exit

_TOKEN: Final = re.compile(r"[ -~]+")
"""What a header can have."""


def is_token(text: str) -> bool:
    """Tell whether a text can be a token."""
    return _TOKEN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Options:
    """What was given on the command line; None or False where nothing was."""

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

    def merged_over(self, others: "Options | None") -> "Options":
        """Return these, and the others where these say nothing."""
        if others is None:
            return self
        return Options(**{each.name: getattr(self, each.name) or getattr(others, each.name) for each in fields(self)})

    def with_environment(self, environment: Mapping[str, str]) -> "Options":
        """Return these, and the environment's where these say nothing: one that says how to connect is enough.

        A variable that is empty counts as one that is not set.
        """
        if self.address and self.context:
            raise CliError(Exit.USAGE, "--address and --context are two ways to the gateway", "give one of them")
        if self.token and self.token_file:
            raise CliError(Exit.USAGE, "--token and --token-file are two ways to give a token", "give one of them")
        environment = {name: value for name, value in environment.items() if value}
        address = None if self.context else environment.get("MILL_ADDRESS")
        told = Options(
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
        found = self.merged_over(told)
        if found.token and not is_token(found.token):
            raise CliError(Exit.USAGE, "the token has characters that no token has", "see --token and MILL_TOKEN")
        return found

    @property
    def deployment(self) -> str:
        """Return the MillDeployment's name."""
        return self.name or "mill"

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of a request that say which namespace and MillDeployment are meant."""
        return {key: value for key, value in (("namespace", self.namespace), ("name", self.name)) if value}

    @property
    def where(self) -> dict[str, str]:
        """Return the parameters of a request that say which namespace is meant."""
        return {"namespace": self.namespace} if self.namespace else {}


PREFIX = "all_"
"""Before the names of their parameters, since a command may have a parameter of the same name."""


def shared(without: str = "") -> list["SharedOption"]:
    """Return them as click knows them, but for a short form that a command uses for something else."""

    def option(*names: str, **settings: Any) -> SharedOption:
        written, name = [each for each in names[:-1] if each != without], names[-1]
        return SharedOption([*written, PREFIX + name], **settings)

    return [
        option(
            *("--address", "address"),
            metavar="URL",
            help="Where the gateway listens. [MILL_ADDRESS; default: http://127.0.0.1:4400]",
        ),
        option(
            *("--context", "context"),
            metavar="NAME",
            help="Reach the gateway in the cluster of this kubeconfig context, through kubectl. [MILL_CONTEXT]",
        ),
        option(
            *("--gateway", "gateway"),
            metavar="SERVICE",
            help="Its Service in that cluster, as namespace/name:port; https: before it if it speaks TLS. "
            "[MILL_GATEWAY; default: mill-system/mill-gateway:4400]",
        ),
        option(
            *("--token", "token"),
            metavar="TOKEN",
            help="The gateway's token, or one of the cluster. Others see what is in a command line, so rather set "
            "MILL_TOKEN. [MILL_TOKEN]",
        ),
        option(
            *("--token-file", "token_file"),
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Take the token from a file. [MILL_TOKEN_FILE]",
        ),
        option(
            *("--ca-file", "ca_file"),
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Trust the authorities of this PEM file, too. [MILL_CA_FILE]",
        ),
        option(
            *("--namespace", "-n", "namespace"),
            metavar="NAME",
            help="Namespace. [MILL_NAMESPACE; default: the gateway's own]",
        ),
        option(*("--name", "name"), metavar="NAME", help="Name of the MillDeployment. [MILL_NAME; default: mill]"),
        option(*("--json", "as_json"), is_flag=True, help="Print JSON, one value a line, and nothing else."),
        option(
            *("--verbose", "-v", "verbose"),
            is_flag=True,
            help="Tell more on stderr: why a service failed, what to do, when the connection is lost.",
        ),
    ]


class SharedOption(click.Option):
    """An option of all commands."""


def pop_options(given: dict[str, Any]) -> Options:
    """Take these options out of the parameters of a command."""
    return Options(**{each.name: given.pop(PREFIX + each.name) for each in fields(Options)})
