"""Certificates and keys in folders, as a mounted Secret has them."""

import subprocess
from pathlib import Path

from mill_gateway.server.tls import Certificate


def make(folder: Path, name: str, *, passphrase: str | None = None, host: str = "IP:127.0.0.1") -> Path:
    """Make a folder with a certificate and its key, as a mounted Secret has them. `host` may be `DNS:…`, too."""
    made = folder / name
    made.mkdir()
    protection = ("-passout", f"pass:{passphrase}") if passphrase else ("-nodes",)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *protection, "-keyout", str(made / "tls.key"))
    subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={host}")
    command = ("openssl", "req", "-x509", *key, "-days", "1", *subject, "-out", str(made / "tls.crt"))
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made


def certificate(folder: Path) -> Certificate:
    return Certificate(str(folder / "tls.crt"), str(folder / "tls.key"))
