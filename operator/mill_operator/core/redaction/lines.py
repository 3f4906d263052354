"""Redaction behind the name of a credential: the rest of its line, and the lines that belong to the value.

A value's end is not looked for: who gets a quote or an escape wrong keeps half of a password, which looks safe and is
not.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from mill_operator.core.patterns import Found, pattern, repeated
from mill_operator.core.redaction import MARK
from mill_operator.core.redaction.blocks import lines_after
from mill_operator.core.redaction.names import STEMS, counts, is_credential
from mill_operator.core.redaction.prose import message_length

_NAME: Final = rf"[\pL\pN_.$@-]*(?:{STEMS})[\pL\pN_.$@-]*"
_QUOTE: Final = r"(?:\\*[\"'`]|\\+u0022|%(?:25)*2[27]|&quot;|&#3[49];)"
_CLOSE: Final = rf"(?:{_QUOTE}|\\*\]){{0,3}}"
_ASSIGN: Final = r"(?:=+>?|:+=?|->|→|\x{ff1a}|\x{ff1d}|%(?:25)*3[DA]|&gt;|&rarr;|\||│)"

NAMED: Final = repeated(
    rf"(?i)(?P<name>{_NAME})(?:"
    rf"(?P<assigned>{_CLOSE}(?:(?:[ \t]*\([^()\n]{{0,40}}\))?[ \t]*{_ASSIGN}"
    r"|[ \t]+(?:for|of)[ \t]+[^\s:=]+[ \t]*[:=][ \t]))"
    rf"|(?P<said>{_CLOSE}[ \t]+(?:is|was|are|equals|set to)[ \t:=]+)"
    rf"|(?P<called>\([ \t]*\\*[\"'`])"
    rf"|(?P<listed>\\*[\"'`][ \t]*,[ \t]*\\*[\"'`])"
    rf"|(?P<apart>{_CLOSE}(?:\t[ \t]*|[ ]{{2,}}))"
    rf"|(?P<beside>{_CLOSE}(?:[ ](?:to |from |as )?|[;,][ ]?))"
    r")"
)
"""A name, and how its value follows: `=`, ` is `, `("`, `", "`, a column, or a blank alone."""
INTRODUCTIONS: Final = ("assigned", "said", "called", "listed", "apart", "beside")
"""Its groups, but for the first."""

PAIR: Final = repeated(
    r"(?i)\b(?:name|key|id|field|property|variable|var|env|header|param|parameter|setting|option|column|attribute|k|n)"
    rf"{_CLOSE}[ \t]*(?:=>?|:)[ \t]*{_QUOTE}?(?P<name>{_NAME})(?P<close>{_CLOSE}>?)"
)
"""A name that is a value itself: `{"name": "DB_PASSWORD", "value": …}`."""
ITS_VALUE: Final = pattern(
    rf"(?i)\b(?:value|val|v|content|contents|data|default|string|stringvalue|text|plaintext){_CLOSE}[ \t]*(?:=>?|:)"
)
REACH: Final = 1000
"""Characters in which the value of a pair is looked for, before and behind its name."""
LINES_APART: Final = 3

ELEMENT: Final = repeated(rf"(?i)<(?:[\w-]+:)?(?P<name>{_NAME})(?:[ \t][^<>\n]*)?>")

SCHEME: Final = repeated(
    r"(?i)\b(?P<scheme>bearer|basic|negotiate|ntlm|digest|hawk|apikey)[ \t]+(?P<value>[^\s\"'<>,]+)"
)
"""Values of the header `Authorization`, anywhere in a text."""
OF_SCHEME: Final = frozenset({"token", "tokens", "auth", "authentication", "authorization", "scheme", "header"})
"""Text that may stand between a scheme and its value: `bearer token missing`, `Bearer token a1B2…`."""
CHALLENGE: Final = ("realm=", "error=", "scope=", "charset=")

COMMAND: Final = repeated(
    r"(?i:\binsert into [^\n]*?\b(?:pass\w*|pwd|secret|token|api_?key)\b[^\n]*?\bvalues[ \t]*\()"
    r"|\blogin\b[^\n]*?[ \t]-p[ \t]+"
    r"|\b(?:AUTH|IDENTIFIED(?: WITH \S+)? (?:BY|AS)|requirepass|masterauth)\\*[\"']?[ \t]+"
    r"|(?i:\blogin[ \t]+\S+[ \t]+password[ \t]+)"
    r"|(?:^|[\s\"'\[(])(?:-u|--user|--proxy-user|--basic-auth)(?:[ \t=]+|[\"'],[ \t]*)[\"']?[^\s:\"']+:"
    r"|\b(?:sshpass|mysql\w*|mariadb\w*|redis-cli|mongo\w*)\b[^\n]*?[ \t]-[pa][ \t]*"
)
"""Commands that name no credential by its name: Redis's and SQL's, .netrc, curl, clients of databases."""

OF_KUBERNETES: Final = pattern(r"\b(?:webhook|fulfilled on [\w.]{1,80}) \\{0,4}[\"']$")
"""Before the name of a webhook or another object, which the API server quotes."""
_RULE: Final = pattern(r"[ \t]+[\w-]{1,80}: [\"']?(?:validation (?:error|failure): |failed to verify image )")
"""A line of a policy engine (Kyverno): a rule, whose name may be about credentials, and what it denies."""
_DENIAL: Final = "denied the request"
"""In every denial of an admission webhook."""

_BEFORE: Final = 100
SHORTEST: Final = 6
"""Characters of what is taken for a value by its looks alone."""
_WORKING_FOLDER: Final = pattern(
    r"[ \t]*[\"']?/(?:(?:app|apps|bin|build|builds|code|data|dev|etc|go|home|lib|mnt|nix|opt|proc|root|run|sbin"
    r"|src|srv|sys|tmp|usr|var|work|workdir|workspace|www|Users)(?:/[\w.@+-]+)*/?)?[\"']?(?:[\s:;,)\]}]|$)"
)
_NUMBER: Final = pattern(r"[ \t]*[\"']?[0-9]{1,7}[\"']?(?:[\s,;:)\]}&/]|$)")
_NO_VALUE: Final = pattern(
    r"(?i)[ \t]*(?:\\*[\"']?(?:null|nil|none|undefined|true|false|yes|no|<nil>|<unset>|<empty>|<none>|\*{3,}"
    r"|\$\{[a-z_][a-z0-9_.]*\}"
    r"|\$\([a-z_][a-z0-9_.]*\)|\{\{[ \t]*[\w.]+[ \t]*\}\})\\*[\"']?|\\*\"\\*\"|\\*'\\*')(?:[\s,;)\]}&]|$)"
)
"""Nothing, or the name of something else."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the value begins in its line."""

    at: int
    name_at: int
    element: bool = False


def redact_lines(text: str) -> str:
    """Take out what follows names of credentials."""
    lines = text.split("\n")
    cuts = _Cuts(text, lines)
    if not cuts.of_line:
        return text
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line, cut = lines[at], cuts.of_line.get(at)
        at += 1
        if cut is None:
            kept.append(line)
            continue
        value = line[cut.at :]
        more = lines_after(value, line[: cut.name_at], lines, at, element=cut.element)
        if value.strip():
            kept.append(line[: cut.at] + _blanks(value) + MARK)
        else:
            kept.append(f"{line[: cut.at].rstrip()} {MARK}" if more else line)
        at += more
    return "\n".join(kept)


def _blanks(value: str) -> str:
    return value[: len(value) - len(value.lstrip())]


class _Cuts:
    """Finds, for each line, the first place from which on it is lost."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self._text, self._lines = text, lines
        self._starts = [0]
        for line in lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self.of_line: dict[int, _Cut] = {}
        self._passed: dict[int, int] = {}
        """By line: up to where it is a message."""
        self._named()
        self._pairs()
        self._elements()
        self._schemes()
        for found in COMMAND.finditer(text):
            if self._is_lost(found.start()):
                continue
            introduction = found.group().endswith("(") or not self._is_message(found.start(), found.end())
            if introduction and not _is_user_id(found, text):
                self._cut(found.start(), found.end())

    def _line(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1

    def _rest(self, position: int, most: int = REACH) -> str:
        start = self._line(position)
        return self._text[position : min(self._starts[start] + len(self._lines[start]), position + most)]

    def _cut(self, name_at: int, at: int, *, element: bool = False) -> None:
        number = self._line(name_at)
        start = self._starts[number]
        known = self.of_line.get(number)
        if known is None or at - start < known.at:
            self.of_line[number] = _Cut(at - start, name_at - start, element)

    def _is_lost(self, position: int) -> bool:
        """Tell whether a place comes after a cut of its line."""
        number = self._line(position)
        known = self.of_line.get(number)
        return known is not None and position - self._starts[number] >= known.at

    def _is_over(self, position: int) -> bool:
        """Tell whether a place is lost already, or known to be part of a message."""
        return self._is_lost(position) or position < self._passed.get(self._line(position), 0)

    def _is_message(self, name_at: int, at: int) -> bool:
        rest = self._rest(at)
        length = message_length(rest)
        if length:
            self._passed[self._line(name_at)] = at + length
        return length > 0

    def _is_of_a_rule(self, name_at: int) -> bool:
        """Tell whether a line, or the one that follows it as its block, is a denied rule of a policy engine."""
        number = self._line(name_at)
        return _DENIAL in self._text and any(_RULE.match(line[:REACH]) for line in self._lines[number : number + 2])

    def _named(self) -> None:
        for found in NAMED.finditer(self._text):
            name_at = found.start()
            if self._is_over(name_at):
                continue
            name, *parts = found.groups("")
            introduction = next(kind for kind, part in zip(INTRODUCTIONS, parts, strict=True) if part)
            before = self._text[max(0, name_at - _BEFORE, self._starts[self._line(name_at)]) : name_at]
            if OF_KUBERNETES.search(before):
                continue
            if before.endswith("\\") and name[:1] in "nrt":
                name = name[1:]
            word = before.split()[-1].strip("\"'([{") if before[-1:] in " \t" and before.strip() else ""
            if is_credential(name, word) and self._introduces_value(found, name, introduction, before):
                self._cut(name_at, found.end())

    def _introduces_value(self, found: Found, name: str, introduction: str, before: str) -> bool:
        rest = self._rest(found.end())
        flag = name.startswith("-")
        if introduction == "beside":
            quoted = rest[:1] in ("'", '"') and found.group().endswith(" ")
            if not flag and not (_is_told_by_its_side(name) and (quoted or _is_random(rest))):
                return False
        if introduction == "listed" and not (flag or before.rstrip("\"'`\\").strip()[-1:] in ("", "(", "[")):
            return False
        if introduction == "assigned":
            if before.endswith("<") and found.group().endswith(">"):
                return False
            if name.lower().lstrip("$") in {"pwd", "oldpwd"} and _WORKING_FOLDER.match(rest):
                return False
            if counts(name) and _NUMBER.match(rest):
                return False
            if before.endswith("--- ") and name == "PASS":  # of a test
                return False
        if self._is_of_a_rule(found.start()):
            return False
        if rest.strip() and introduction != "called" and (_NO_VALUE.match(rest) or _is_placeholder(rest, name)):
            return False
        return not self._is_message(found.start(), found.end())

    def _elements(self) -> None:
        for found in ELEMENT.finditer(self._text):
            if not is_credential(found["name"]):
                continue
            if shown := ITS_VALUE.search(found.group()):
                self._cut(found.start(), found.start() + shown.end())
            elif not found.group().endswith("/>") and not self._text.startswith("</", found.end()):
                self._cut(found.start(), found.end(), element=True)

    def _schemes(self) -> None:
        for found in SCHEME.finditer(self._text):
            if self._is_over(found.start()):
                continue
            scheme, value = found["scheme"].lower(), found["value"]
            at = found.end() - len(value)
            if value.lower().rstrip(".;:") in OF_SCHEME:
                at = found.end()
                value = self._rest(at)
                if not _is_random(value):
                    continue
            if value.lower().startswith(CHALLENGE) or self._is_message(found.start(), at):
                continue
            if scheme == "bearer" or _is_random(value):
                self._cut(found.start(), at)

    def _pairs(self) -> None:
        for found in PAIR.finditer(self._text):
            if self._is_over(found.start()) or not is_credential(found["name"]):
                continue
            behind = self._rest(found.end())
            number = self._line(found.start())
            before = self._text[max(self._starts[number], found.start() - REACH) : found.start()]
            if found["close"].endswith(">") or ITS_VALUE.search(behind):
                self._cut(found.start(), found.end())
            elif shown := ITS_VALUE.search(before):
                at = found.start() - len(before) + shown.end()
                self._cut(at, at)
            else:
                self._value_nearby(number)

    def _value_nearby(self, number: int) -> None:
        for near in (number - 1, *range(number + 1, number + 1 + LINES_APART)):
            if 0 <= near < len(self._lines) and (shown := ITS_VALUE.search(self._lines[near][:REACH])):
                at = self._starts[near] + shown.end()
                self._cut(at - (shown.end() - shown.start()), at)
                return


def _is_user_id(found: Found, text: str) -> bool:
    """Tell `-u 1000:1000`, as of `docker run`."""
    user = found.group().rstrip(":")
    following = text[found.end() : found.end() + 6].split()
    return user[-1:].isdigit() and bool(following) and following[0].isdigit()


def _is_told_by_its_side(name: str) -> bool:
    """Tell a name behind which a value stands without anything between: `set password …`, `aws_secret_access_key …`."""
    return "pass" in name.lower() or "_" in name or name != name.lower()


def _is_placeholder(value: str, name: str) -> bool:
    """Return whether a word stands for a value in a usage text: `--password PASSWORD`."""
    words = value[:_BEFORE].split()
    return bool(words) and words[0].strip("<>[]\"'").lower() == name.strip("-").lower()


def _is_random(text: str) -> bool:
    """Tell what begins with no word."""
    value = (text[:REACH].split(maxsplit=1) or [""])[0].strip("\"'`,;:.()[]")
    letters = value.rstrip("=")
    mixed = letters[1:] != letters[1:].lower() and letters != letters.upper()
    digits = any(each.isdigit() for each in letters) and any(each.isalpha() for each in letters)
    return len(value) >= SHORTEST and (mixed or digits or value.endswith("="))
