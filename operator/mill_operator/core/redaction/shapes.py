"""Credentials that are known by their own shape, whatever stands beside them.

Two sets of patterns: those of gitleaks, exact, of which each is tried only where one of its keywords is; and the
beginnings of well-known tokens, which take everything that follows, as an error may show only a part of one.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from mill_operator.core.patterns import Found, Repeated, literal, pattern, repeated
from mill_operator.core.redaction import MARK

BEGINNINGS: Final = (
    r"gh[pousr]_", r"github_pat_", r"gl(?:pat|rt|dt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-", r"GR1348941",
    r"xox[a-z](?:\.xox[a-z])?-", r"xapp-", r"xwfp-", r"[sr]k_(?:live|test|prod)_", r"whsec_", r"dckr_[po]at_",
    r"hv[sbr]\.", r"do[por]_v1_", r"ya29\.", r"AIza", r"GOCSPX-", r"AGE-SECRET-KEY-", r"age-secret-key-",
    r"sk-(?:ant|proj|svcacct|admin|or)-", r"shp(?:at|ca|pa|ss|tka)_", r"sq0(?:atp|csp|idp)-", r"lin_(?:api|oauth)_",
    r"ntn_", r"figd_", r"PMAK-", r"rubygems_", r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"gl(?:sa|c)_", r"NRAK-",
    r"NRII-", r"sntry[su]_", r"tskey-", r"AT[AC]TT3", r"ATBB", r"\.atlasv1\.", r"FLWSECK", r"nfp_", r"fo1_",
    r"fm[12][ar]?_", r"pscale_(?:tkn|pw|oauth)_", r"xkeysib-", r"xsmtpsib-", r"dt0[a-z][0-9]{2}\.",
    r"duffel_(?:test|live)_", r"shippo_(?:test|live)_", r"LTAI", r"AKCp", r"cmVmd", r"HRKU-", r"pplx-", r"gsk_",
    r"xai-", r"sbp_", r"sb_secret_", r"ph[xc]_", r"rdme_", r"sgp_", r"pnu_", r"ops_eyJ", r"CLOJARS_", r"EZ[AT]K",
    r"lsv2_", r"nvapi-", r"bedrock-api-key-", r"ABSK", r"sha256~", r"CFPAT-", r"gAAAAA", r"\$2[abxy]?\$[0-9]{2}\$",
    r"\$argon2", r"\$apr1\$", r"\$[156y]\$", r"\{S?SHA[0-9]*\}", r"SCRAM-SHA-256\$",
)  # fmt: skip
"""After these follows a token, wherever they are."""
AMBIGUOUS: Final = (
    r"npm_", r"hf_", r"api_org_", r"sk-", r"SG\.", r"key-", r"re_", r"s\.", r"pat", r"SK", r"AC", r"EAA[A-Z]",
    r"ico-", r"tk-us-", r"sm_[aps]at_", r"A3-", r"p8e-", r"pypi-", r"pul-", r"dapi", r"r8_", r"API-", r"fio-u-",
    r"rk-", r"token_", r"secret_", r"at\.",
)  # fmt: skip
"""After these only what no word is like."""

_TOKEN: Final = repeated(rf"(?:{'|'.join(BEGINNINGS)})[\w.$+/=~%-]{{6,}}")
_MAYBE: Final = repeated(rf"\b(?:{'|'.join(AMBIGUOUS)})(?P<rest>[\w.+/=~%-]{{16,}})")
_AWS: Final = repeated(r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}")
_JWT: Final = repeated(r"eyJ[\w-]{8,}(?:[.=][\w-]*)*|ZXlK[\w+/=]{16,}")
"""JWS and JWE, whole or half, and anything else that is JSON in Base64."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of gitleaks'."""

    id: str
    keywords: tuple[str, ...]
    """In lower case."""
    pattern: Repeated


def _rules() -> tuple[Rule, ...]:
    text = resources.files("mill_operator.core.redaction").joinpath("gitleaks.toml").read_text(encoding="utf-8")
    rules: list[dict[str, Any]] = tomllib.loads(text)["rules"]
    return tuple(Rule(each["id"], tuple(each["keywords"]), repeated(each["regex"])) for each in rules)


RULES: Final = _rules()
_KEYWORD: Final = pattern("(?i)" + "|".join(sorted({literal(word) for rule in RULES for word in rule.keywords})))


def redact_shapes(text: str) -> str:
    """Take out what has the shape of a credential."""
    text = _JWT.sub(MARK, _AWS.sub(MARK, _TOKEN.sub(MARK, text)))
    text = _MAYBE.sub(_if_random, text)
    if _KEYWORD.search(text) is None:
        return text
    lower = text.lower()
    for rule in RULES:
        if any(keyword in lower for keyword in rule.keywords):
            text = rule.pattern.sub(_without_token, text)
    return text


def _if_random(found: Found) -> str:
    letters = found["rest"]
    random = any(each.isdigit() for each in letters) and any(each.isalpha() for each in letters)
    mixed = letters != letters.lower() and letters != letters.upper()
    return MARK if random or mixed else found.group()


def _without_token(found: Found) -> str:
    """Keep what a rule matches around a token: blanks, quotes and the like."""
    whole = found.group()
    token = whole.strip(" \t\r\n\"'`;<>(),:=")
    return whole.replace(token, MARK, 1) if token else whole
