"""Security headers of every answer."""

from typing import Final

from starlette.datastructures import MutableHeaders

from mill_gateway.settings import Settings

NO_SNIFFING: Final = ("X-Content-Type-Options", "nosniff")
NOT_STORED: Final = ("Cache-Control", "no-store")
"""Default headers of answers, which are about a cluster and for one caller."""
HTTPS_ONLY: Final = ("Strict-Transport-Security", "max-age=31536000")
"""Header of answers over TLS, unless only this machine reaches the gateway: other programs use `localhost`, too."""


def add_headers(headers: MutableHeaders, settings: Settings) -> None:
    """Add the headers that every answer has, unless the route has set them."""
    headers.setdefault(*NO_SNIFFING)
    if "etag" not in headers:  # clients keep answers with an ETag, and revalidate them
        headers.setdefault(*NOT_STORED)
    if settings.tls_cert and not settings.on_loopback:
        headers.setdefault(*HTTPS_ONLY)
