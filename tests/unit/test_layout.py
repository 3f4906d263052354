"""The layout of folders and modules."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


SOURCES = ("crds", "libs", "operator", "gateway", "cli", "hack", "tests")


def test_operator_from_the_root_is_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import operator; operator.add; print(operator.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).name == "operator.py"
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_an_entry_point_is_the_end_of_its_module() -> None:
    """A function that is defined below it does not exist yet when the module runs."""
    wrong = []
    for path in (path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")):
        statements = ast.parse(path.read_text()).body
        guards = [each for each in statements if isinstance(each, ast.If) and "__main__" in ast.unparse(each.test)]
        if guards and guards[-1] is not statements[-1]:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_no_test_module_imports_another() -> None:
    """What tests share is in a module that is no test: whoever changes a test has only its own file to look at."""
    wrong = [
        f"{path.relative_to(ROOT)}: {statement.module}"
        for path in (ROOT / "tests").rglob("*.py")
        for statement in ast.walk(ast.parse(path.read_text()))
        if isinstance(statement, ast.ImportFrom) and re.fullmatch(r"(tests\..*)?test_\w+", statement.module or "")
    ]
    assert wrong == []
