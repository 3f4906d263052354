"""Names of credentials. A name is split into its words, however they are joined."""

import re
from functools import lru_cache
from typing import Final

from mill_operator.core.redaction.vocabulary import words

STEMS: Final = (
    "pass|pwd|psw|pw|secret|token|cred|key|auth|cookie|sig|bearer|jwt|otp|salt|sess|sid|hmac|mnemonic|psk|sas|hook|pin"
    "|code|phrase|mdp|clave|contrase|senha|kennwort|wachtwoord|парол|密码|密碼|パスワード|비밀번호"
)
"""Parts of names of credentials, by which names are found."""

_WORD: Final = re.compile(r"[A-Z]+[a-z]*|[a-z]+|[^\W\d_A-Za-z]+")

ALWAYS: Final = re.compile("|".join(sorted(words("always"))))
"""In these, wherever they are in a name without its separators."""

ALONE: Final = words("alone")
"""In these where they are a word of their own."""
ENDINGS: Final = ("pass", "passw", "pw", "pwd", "pswd", "passwords", "authtoken", "sessid", "sessionid", "signature")
NOT_ENDING: Final = words("not_ending")

LOOKALIKES: Final = words("lookalikes")

ABOUT_IT: Final = words("about_it")
"""Last words that make a name one of something else: `token_url`, `password_min_length`."""
STILL: Final = re.compile("webhookurl|hookurl|signedurl|sasurl|tokenstring|databaseurl")
"""Exceptions: names of credentials in spite of such a last word."""

OTHER_KEYS: Final = words("other_keys")
"""Keys that open nothing, by the word before."""
OTHER_WEBHOOKS: Final = words("other_webhooks")
"""Webhooks of the API server, by the word before."""
KEYS_IN_PROSE: Final = words("keys_in_prose")
"""Words that make of `key` the name of a credential, where a blank is between."""
CODES: Final = words("codes")
"""And of `code` and `phrase`."""

CODE: Final = words("files_of_code")
"""Ends of the names of files, whose lines errors name: `token.rs:42`."""

PLURAL_OF_TEXT: Final = "tokens"
"""Words that language models count: `max_tokens=4096`."""


@lru_cache(maxsize=1024)  # programs name the same things
def is_credential(name: str, before: str = "") -> bool:
    """Tell whether a name is that of a credential. `before` is the word that comes before it, after a blank."""
    parts = list(map(str.lower, _WORD.findall(name)))
    if not parts:
        return False
    joined, last = "".join(parts), parts[-1]
    if STILL.search(joined):
        return True
    if last in ABOUT_IT or ("." in name and last in CODE and name.rpartition(".")[2].lower() == last):
        return False
    if joined == "webhook" and before.lower() in OTHER_WEBHOOKS:
        return False
    if ALWAYS.search(joined):
        return not LOOKALIKES.intersection(parts)
    if not ALONE.isdisjoint(parts):
        return True
    if any(each.endswith(ENDINGS) and each not in NOT_ENDING for each in parts):
        return True
    before = before.lower()
    if last in {"code", "codes", "phrase"}:
        return (parts[-2] if len(parts) > 1 else before) in CODES
    return _is_key(parts, before)


def counts(name: str) -> bool:
    """Tell whether a name may be that of a number of tokens."""
    return name.lower().endswith(PLURAL_OF_TEXT) or name.lower() in {"token", "tokens"}


def _is_key(parts: list[str], before: str) -> bool:
    """Tell `SIGNING_KEY` and `client-key-data` from `primary_key`."""
    if any(each.removesuffix("s").removesuffix("key") in KEYS_IN_PROSE and "key" in each for each in parts):
        return True
    at = next((at for at in reversed(range(len(parts))) if parts[at] in {"key", "keys"}), None)
    if at is None:
        return False
    if at == 0:
        return before in KEYS_IN_PROSE or (len(parts) > 1 and parts[1] in {"data", "pem", "base"})
    return parts[at - 1] not in OTHER_KEYS
