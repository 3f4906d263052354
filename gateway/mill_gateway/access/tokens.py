"""The gateway's own tokens: who has one may do everything that the gateway does."""

import hmac
from collections.abc import Iterable
from pathlib import Path

from mill_api.settings import SettingsError
from mill_gateway.settings import Settings


class Tokens:
    """The tokens of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = tuple(_read(settings))

    def known(self, presented: str) -> bool:
        """Tell whether it is one of them: compared in constant time, with every one."""
        found = False
        for token in self._tokens:
            found |= hmac.compare_digest(presented.encode(), token.encode())
        return found


def _read(settings: Settings) -> Iterable[str]:
    if settings.token:
        yield settings.token
    if settings.token_file:
        try:
            lines = Path(settings.token_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"MILL_TOKEN_FILE={settings.token_file}: {error}") from error
        yield from (line.strip() for line in lines if line.strip())
