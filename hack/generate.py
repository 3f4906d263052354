"""The generated files of the repository and their sources: `make generate` writes them, `make lint` checks them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mill_cli.reference
import mill_gateway.rbac
import mill_language.reference
import mill_operator.rbac
from hack.install import manifests
from mill_api import crd
from mill_operator import failure_codes

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Generated:
    """One file: its path from the repository's root, and the function that returns its text."""

    path: str
    text: Callable[[], str]
    needs_helm: bool = False
    """Whether a Helm has to be built first; such a file is written and checked only where it is named."""


FILES: Final = (
    Generated("crds/milldeployments.yaml", crd.to_yaml),
    Generated("charts/mill/files/milldeployments.yaml", crd.to_yaml),
    Generated("docs/mill-file.md", mill_language.reference.to_markdown),
    Generated("docs/failure-codes.md", failure_codes.to_markdown),
    Generated("cli/mill_cli/failure_codes.json", failure_codes.to_json),
    Generated("docs/cli.md", mill_cli.reference.to_markdown),
    Generated("charts/rbac/operator.yaml", mill_operator.rbac.ACCOUNT.render),
    Generated("charts/mill/files/operator-roles.yaml", mill_operator.rbac.ACCOUNT.render_roles),
    Generated("charts/rbac/gateway.yaml", mill_gateway.rbac.ACCOUNT.render),
    Generated("charts/mill/files/gateway-roles.yaml", mill_gateway.rbac.ACCOUNT.render_roles),
    Generated("deploy/mill.yaml", manifests.to_yaml, needs_helm=True),
)


def write(files: Sequence[Generated], root: Path = ROOT) -> None:
    """Write the files below a root."""
    for each in files:
        path = root / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text(), encoding="utf-8")


def stale(files: Sequence[Generated], root: Path = ROOT) -> list[str]:
    """Return the paths of the files below a root that are missing or out of date."""
    return [
        each.path
        for each in files
        if not (path := root / each.path).exists() or path.read_text(encoding="utf-8") != each.text()
    ]


def chosen(paths: Sequence[str]) -> list[Generated]:
    """Return the files of these paths; without any, all that need no Helm. Raise `ValueError` for another path."""
    if not paths:
        return [each for each in FILES if not each.needs_helm]
    unknown = set(paths) - {each.path for each in FILES}
    if unknown:
        raise ValueError(f"not a generated file: {', '.join(sorted(unknown))}")
    return [each for each in FILES if each.path in paths]


def main(arguments: list[str] | None = None) -> int:
    """Write, check or print the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.generate", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write the files")
    action.add_argument("--check", action="store_true", help="fail if a file is out of date")
    action.add_argument("--print", action="store_true", help="print the files")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only these files, from the repository's root")
    options = parser.parse_args(arguments)
    try:
        files = chosen(options.paths)
    except ValueError as error:
        parser.error(str(error))
    if options.write:
        write(files)
    elif options.print:
        sys.stdout.writelines(each.text() for each in files)
    elif paths := stale(files):
        sys.stderr.writelines(f"{path} is out of date: run `make generate`\n" for path in paths)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
