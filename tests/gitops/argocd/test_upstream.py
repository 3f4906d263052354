"""The health check as Argo CD's own repository would have it: its folder beside theirs, under their own test."""

import os
import shutil
from pathlib import Path

import yaml

from hack.commands import run
from hack.toolchain.build import ARGOCD, module_directory
from hack.toolchain.go import go

from .conftest import CUSTOMIZATIONS

RESOURCE = "mill.dev/MillDeployment"
LEFT_OUT = shutil.ignore_patterns("ui", "docs", "manifests")
"""What is large, and not needed by the test."""


def test_the_upstream_test_passes_for_the_folder_as_it_is(tmp_path: Path) -> None:
    repository = tmp_path / "argo-cd"
    shutil.copytree(module_directory(ARGOCD), repository, ignore=LEFT_OUT, copy_function=shutil.copyfile)
    customizations = repository / "resource_customizations"
    customizations.chmod(0o755)  # a module's folders are read-only
    shutil.copytree(CUSTOMIZATIONS, customizations / RESOURCE)

    named = f"TestLuaHealthScript/{RESOURCE}"
    command = ("test", "-mod=mod", "-trimpath", "-vet=off", "-count=1", "-v", "-run", named, "./util/lua")
    (repository / "go.mod").chmod(0o644)
    (repository / "go.sum").chmod(0o644)
    said = run(go(), *command, cwd=repository, env={**os.environ, "CGO_ENABLED": "0"}, timeout=1200)

    cases = yaml.safe_load((CUSTOMIZATIONS / "health_test.yaml").read_text())["tests"]
    for case in cases:
        assert f"--- PASS: TestLuaHealthScript/{RESOURCE}/{case['inputPath']}" in said, said
    assert said.count(f"--- PASS: TestLuaHealthScript/{RESOURCE}/") == len(cases)
    assert {each["inputPath"] for each in cases} == {
        f"testdata/{each.name}" for each in (CUSTOMIZATIONS / "testdata").iterdir()
    }
