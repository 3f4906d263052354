"""Take the shapes of credentials over from gitleaks, a public set of rules: `python -m hack.gitleaks --write FILE`.

Its regular expressions are RE2's, as ours are, and stay as they are. Left out are rules that look for a vendor's name
next to any value (what a value is called is looked at for all vendors alike, by `names.py`), and those for files.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from hack.commands import run
from hack.toolchain.go import go
from hack.versions import GITLEAKS

MODULE = "github.com/zricethezav/gitleaks/v8"
BY_VENDORS_NAME = r"[\w.-]{0,50}?"
LEFT_OUT = {
    "curl-auth-header",
    "curl-auth-user",
    "freemius-secret-key",
    "gitlab-session-cookie",
    "kubernetes-secret-yaml",
    "nuget-config-password",
    "pkcs12-file",
    "private-key",
}
"""What `lines.py` and `keys.py` find in more forms."""


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, required=True)
    file: Path = parser.parse_args().write
    module = _download()
    rules = tomllib.loads((module / "config/gitleaks.toml").read_text())["rules"]
    file.write_text(_rendered([rule for rule in rules if _is_a_shape(rule)], (module / "LICENSE").read_text()))


def _download() -> Path:
    return Path(json.loads(run(go(), "mod", "download", "-json", f"{MODULE}@{GITLEAKS}"))["Dir"])


def _is_a_shape(rule: dict[str, Any]) -> bool:
    return rule["id"] not in LEFT_OUT and BY_VENDORS_NAME not in rule["regex"]


def _rendered(rules: list[dict[str, Any]], license_text: str) -> str:
    head = (
        f"Shapes of credentials, from {MODULE} {GITLEAKS}.\nMade by `make credentials`; not to be edited.\n\n"
        f"{license_text}"
    )
    lines = [f"# {line}".rstrip() for line in head.strip().split("\n")]
    for rule in rules:
        lines += [
            "",
            "[[rules]]",
            f"id = {json.dumps(rule['id'])}",
            f"regex = '''{rule['regex']}'''",
            f"keywords = {json.dumps(rule['keywords'])}",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
