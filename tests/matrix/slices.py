"""Which tests are run on each pair, by what they show: the columns of the table."""

from typing import Final

SLICES: Final = {
    "scenario": ("tests/e2e/test_partial_failure.py",),
    "failures": ("tests/e2e/test_failures.py",),
    "updates, removal": ("tests/e2e/test_update.py", "tests/e2e/test_removal.py", "tests/e2e/test_rollouts.py"),
    "chart": (
        "tests/e2e/chart/test_manifests.py",
        "tests/e2e/chart/test_new_installation.py",
        "tests/e2e/chart/test_install.py",
    ),
    "rules of the CRD": ("tests/e2e/test_schema.py",),
    "admission policies": ("tests/e2e/security/test_policies.py",),
    "API server": ("tests/e2e/test_apiserver_contract.py",),
}


def files(*names: str) -> list[str]:
    """Return the files of these slices; without a name, of all."""
    return [file for name in names or SLICES for file in SLICES[name]]


def slice_of(class_name: str) -> str:
    """Return the slice of a test by the class name that a JUnit report gives it; empty if it is in none."""
    for name, files in SLICES.items():
        for file in files:
            module = file.removesuffix(".py").replace("/", ".")
            if f"{class_name}.".startswith(f"{module}."):
                return name
    return ""
