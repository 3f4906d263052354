"""Redaction of credentials in foreign text. A word too much costs little; a password left over costs much.

- `names`: which names are those of credentials: `DB_PASS`, `apiKey`, not `max_tokens` or `token_url`.
- `prose`: what follows a name and is no value, but says what is wrong: `token: signature is invalid`.
- `lines`: whatever follows such a name loses the rest of its line, and the lines that belong to it.
- `keys`: private keys as blocks of lines, whole or half.
- `urls`: users, passwords and signatures in URLs.
- `shapes`: credentials that are known by their own shape; most come from gitleaks.

`redact` puts them together.
"""

from typing import Final

MARK: Final = "***"
"""Replacement of redacted text."""
