"""Certificates and kubeconfigs: one authority, one certificate per component, made for each cluster by openssl."""

import base64
import json
from pathlib import Path

from hack import paths
from hack.commands import run

_DAYS = "3650"

# openssl's own configuration file would mark every self-signed certificate as an authority.
_CONFIGURATION = "[req]\ndistinguished_name = subject\nprompt = no\n[subject]\n"


def create_authority() -> None:
    """Create the cluster's authority and the key pair that signs service account tokens."""
    paths.PKI.mkdir(mode=0o700, parents=True)
    configuration().write_text(_CONFIGURATION)
    extensions = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,digitalSignature")
    _request("ca", "/CN=mill-dev", extensions)
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key("service-accounts"))
    run("openssl", "ec", "-in", key("service-accounts"), "-pubout", "-out", paths.PKI / "service-accounts.pub")


def configuration() -> Path:
    """The configuration file that openssl works with."""
    return paths.PKI / "openssl.cnf"


def certificate(name: str) -> Path:
    """Where the certificate of this name is."""
    return paths.PKI / f"{name}.crt"


def key(name: str) -> Path:
    """Where the private key of this name is."""
    return paths.PKI / f"{name}.key"


def issue_client(name: str, user: str, group: str = "") -> None:
    """Issue a certificate that logs in to the API server (or, for the API server, to the kubelet)."""
    _issue(name, f"/O={group}/CN={user}" if group else f"/CN={user}", ("extendedKeyUsage=clientAuth",))


def issue_server(name: str, addresses: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    """Issue a certificate for a server that is reached by these IP addresses and host names."""
    alternatives = ",".join([*(f"IP:{address}" for address in addresses), *(f"DNS:{host}" for host in hosts)])
    _issue(name, f"/CN={name}", ("extendedKeyUsage=serverAuth", f"subjectAltName={alternatives}"))


def write_kubeconfig(file: Path, server: str, identity: str) -> None:
    """Write a kubeconfig that holds everything it needs. (It is JSON, which every YAML reader reads.)"""
    user = {"client-certificate-data": _inline(certificate(identity)), "client-key-data": _inline(key(identity))}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "mill-dev",
                "cluster": {"server": server, "certificate-authority-data": _inline(certificate("ca"))},
            }
        ],
        "users": [{"name": identity, "user": user}],
        "contexts": [{"name": "mill-dev", "context": {"cluster": "mill-dev", "user": identity}}],
        "current-context": "mill-dev",
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(document, indent=2) + "\n")


def _issue(name: str, subject: str, extensions: tuple[str, ...]) -> None:
    authority = ("-CA", certificate("ca"), "-CAkey", key("ca"))
    _request(name, subject, ("basicConstraints=critical,CA:FALSE", *extensions), *authority)


def _request(name: str, subject: str, extensions: tuple[str, ...], *authority: str | Path) -> None:
    additions = [word for extension in extensions for word in ("-addext", extension)]
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key(name))
    common = ("-config", configuration(), "-x509", "-days", _DAYS, "-subj", subject, "-out", certificate(name))
    run("openssl", "req", *common, *new_key, *authority, *additions)


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
