"""The distribution's packages that the embedded cluster runs on, and that tests of it need."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hack.commands import CommandFailed, run
from hack.progress import step

# A program of each package, by which we tell that it is there.
_PACKAGES: Final = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "docker-registry": "docker-registry",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "iproute2": "ip",
    "openssl": "openssl",
    "catatonit": "catatonit",
    "busybox-static": "/bin/busybox",
    "faketime": "faketime",
    "socat": "socat",
}
_SERVICES: Final = ("containerd", "docker-registry", "redis-server", "prometheus")
"""Packages that start a service of their own, which we neither need nor want to leave behind."""


class NotSupported(RuntimeError):
    """This machine cannot run the embedded cluster."""


def install(packages: Mapping[str, str] = MappingProxyType(_PACKAGES)) -> None:
    """Install what is missing: packages, each with a program by which we tell that it is there."""
    missing = [
        package for package, program in packages.items() if not (shutil.which(program) or Path(program).exists())
    ]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise NotSupported(f"please install {', '.join(missing)} (only Debian's apt-get is known here)")
    with step(f"installing {', '.join(missing)}"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "update", "-qq", env=quiet)
        run("apt-get", "install", "--yes", "-qq", "--no-install-recommends", *missing, env=quiet)
    for service in _SERVICES:
        if service in missing:
            _stop_service(service)


def _stop_service(service: str) -> None:
    """Stop a service that its package has just started; where no init system runs, nothing was started."""
    try:
        run("systemctl", "disable", "--now", service)
    except (CommandFailed, OSError):
        return
