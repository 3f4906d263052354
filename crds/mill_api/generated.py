"""The command line of every module that makes a file of the repository: print it, write it, or tell that it is stale.

`make generate` writes all of them, `make lint` checks them.
"""

import argparse
import sys
from pathlib import Path


def command_line(module: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with `--write FILE` and `--check FILE`; a module may add options of its own."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--write", type=Path, metavar="FILE", help="write it to a file instead of printing it")
    action.add_argument("--check", type=Path, metavar="FILE", help="fail if a file is not up to date")
    return parser


def deliver(text: str, options: argparse.Namespace) -> int:
    """Do with a text what the options say; return the exit code."""
    write: Path | None = options.write
    check: Path | None = options.check
    if write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_text(text, encoding="utf-8")
    elif check is None:
        sys.stdout.write(text)
    elif not check.exists() or check.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{check} is stale: run `make generate`\n")
        return 1
    return 0
