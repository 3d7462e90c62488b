"""Secrets that show by their shape in text: tokens, URLs, headers, assignments, private keys.

Every pattern takes time linear in the text: what repeats is bounded, or never tried again from
another place in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from prefactor_trace._capture.redaction_assigned import Assignments, is_placeholder, is_plain_word
from prefactor_trace._capture.redaction_filter import Filter
from prefactor_trace._capture.redaction_keys import SecretNames, Verdict, looks_random
from prefactor_trace._capture.redaction_spans import Check, replace_groups
from prefactor_trace._capture.redaction_tokens import BEGIN_OF_TOKEN, hide_tokens

_SHORTEST = 8  # no text shorter than this holds a secret that can be told by its shape

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?=(?:\s|\\+[nr]){0,8}(?:Proc-Type|Comment|Version|[A-Za-z0-9+/=]{16}))"
    r"([^-]*(?:-(?!----)[^-]*)*)"
)

# A password may hold `@`, and in careless hands `/`; a port is none.
_USERINFO = re.compile(
    r"://[^\s/?#:@\"'<>\\\[]{0,256}:(?!\d{0,5}(?:[/?#\s\"'<>,;)\]\\]|$))"
    r"([^\s/?#\"'<>]{1,512}(?=@)|[^\s\"'<>@]{1,512}(?=@))"
)
_USER_TOKEN = re.compile(r"://([A-Za-z0-9_~-]{16,256})(?=@)")
_QUERY = re.compile(r"[?&;]([\w.%~-]{1,64})=([^&#\s\"'<>\\;]+)")
_QUERY_NAMES = frozenset(
    {"token", "sig", "signature", "x-amz-signature", "x-amz-credential", "x-goog-signature"}
)
_QUERY_DOUBTFUL = frozenset({"key", "code", "auth"})

_COOKIE = re.compile(
    r"(?i)(?:(?<![\w-])|(?<=set-)(?<![\w-]set-))cookie2?"
    r"\s{0,3}:\s{0,3}([\w.-]{1,128}=[^\n\r\"']+)"
)
_SIMPLE_SCHEME = re.compile(
    r"(?i)authorization[\\\"']{0,4}\s{0,3}[:=,]\s{0,3}[\\\"']{0,4}"
    r"(?:bearer|basic|token|api-?key|negotiate|ntlm|ssws|key|bot)\s{1,4}([^\s\"'\\,;]+)"
)
# At the end of a line or a string also a plain word is no part of a sentence.
_SCHEME_AT_END = re.compile(
    r"(?i)authorization[\\\"']{0,4}\s{0,3}[:=,]\s{0,3}[\\\"']{0,4}"
    r"(?:bearer|basic|token|api-?key)\s{1,4}([^\s\"'\\,;]{8,})(?=[\"'\\\n\r]|\s?$)"
)
_LONG_SCHEME = re.compile(
    r"(?i)authorization[\\\"']{0,4}\s{0,3}[:=,]\s{0,3}[\\\"']{0,4}"
    r"(?:digest|hawk|oauth|aws4-hmac-sha256)\s{1,4}([^\s=]{1,64}=[^\n\r]+)"
)
_BEARER = re.compile(r"(?i)(?<![\w-])bearer(?:\s|%20|\+){1,4}([A-Za-z0-9._~+/=-]{8,})")
_BASIC = re.compile(r"(?i)(?<![\w-])basic(?:\s|%20){1,4}([A-Za-z0-9+/_-]{8,}={0,2})")
_CURL_USER = re.compile(
    r"curl(?<!\wcurl)\s[^\n]{0,100}?(?<=\s)(?:-u\s?|--user[\s=])[\"']?[^\s:\"']{1,128}:([^\s\"']+)"
)
# It is searched ten times faster for a literal at its beginning than for what is in front of it.
_FLAG = re.compile(r"-(?<![\w-]-)-?([A-Za-z][\w-]{1,64})\s{1,4}[\"']?([^\s\"'\\-][^\s\"'\\]*)")

_WEBHOOK = re.compile(
    r"(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/\d{1,24}/)"
    r"([\w/-]{8,})"
)
Rule = tuple[re.Pattern[str], Check, str]
"""A pattern, which of its matches are secrets, and the word that they begin with, in any case."""

# Each of the rules needs one of these, or a piece of a secret name, or a token's beginning.
_PARAMETER = r"[?&;][^\s?&;=\"'<>()]+=[^&#\s\"'<>\\;]"
_PIECES = rf"(?i:bearer|basic|curl)|://\S*@|hook|{_PARAMETER}"
_A_QUERY = Filter(_PARAMETER)


class SecretShapes:
    """What in a text has the shape of a secret.

    Args:
        names: Names whose assigned values are secrets.
    """

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        self._assignments = Assignments(names)
        # Names in other scripts, on whose cases the two ways to search may differ, leave no filter.
        words = "|".join(names.hints)
        hints = words.replace("i", "[iİ]")  # whose lower case begins with an i
        self._anything = Filter(
            f"(?i:{hints})|{_PIECES}|{BEGIN_OF_TOKEN}" if words.isascii() else ""
        )

    def hide(self, text: str) -> tuple[str, int]:
        """Return `text` without its secrets, and how many there were."""
        if len(text) < _SHORTEST or text.isalpha() or not self._anything.may_find(text):
            return text, 0
        lower = text.lower()
        named = self._names.hinted(lower)
        count = 0
        # Each rule stands behind a piece of text without which it cannot find anything.
        if named or "@" in text or "?" in text or "&" in text or "hook" in text:
            text, count = _apply(self._first_rules(text, lower), text, lower)
        if named:
            text, more = self._assignments.hide(text, None if count else lower)
            count += more
        if named or "bearer" in lower or "basic" in lower or "curl" in lower:
            rules = self._credential_rules(text, lower)
            text, more = _apply(rules, text, None if count else lower)
            count += more
        text, more = hide_tokens(text)
        return text, count + more

    def _first_rules(self, text: str, lower: str) -> Iterator[Rule]:
        """Give the rules for what assignments would otherwise see a part of."""
        if "PRIVATE KEY" in text:
            yield _PEM, _always, ""
        if "://" in text:
            if "@" in text:
                yield _USERINFO, _is_given, ""
                yield _USER_TOKEN, _is_random, ""
            if "hooks.slack.com/" in text or "/api/webhooks/" in text:
                yield _WEBHOOK, _always, ""
        if "=" in text:
            if ("?" in text or "&" in text) and _A_QUERY.may_find(text):
                yield _QUERY, self._is_secret_parameter, ""
            if "cookie" in lower:
                yield _COOKIE, _is_given, "cookie"
        if "authorization" in lower:
            yield _SIMPLE_SCHEME, _is_telling, "authorization"
            yield _SCHEME_AT_END, _is_given, "authorization"
            yield _LONG_SCHEME, _is_given, "authorization"

    def _credential_rules(self, text: str, lower: str) -> Iterator[Rule]:
        """Give the rules for what HTTP and command lines send to be let in."""
        if "bearer" in lower:
            yield _BEARER, _is_bearer, "bearer"
        if "basic" in lower:
            yield _BASIC, _is_basic, "basic"
        if "--" in text or " -" in text:
            yield _FLAG, self._is_secret_flag, ""
            if "curl" in lower:
                yield _CURL_USER, _is_given, ""

    def _is_secret_parameter(self, name: str, value: str) -> bool:
        if is_placeholder(value):
            return False
        name = name.lower()
        if name in _QUERY_NAMES or self._names.judge(name) is Verdict.SECRET:
            return True
        return name in _QUERY_DOUBTFUL and looks_random(value)

    def _is_secret_flag(self, name: str, value: str) -> bool:
        return self._names.judge(name) is Verdict.SECRET and _is_telling("", value)


def _apply(rules: Iterable[Rule], text: str, lower: str | None) -> tuple[str, int]:
    """Return a text without what rules find, and how much that was.

    Args:
        rules: The rules.
        text: Where they look.
        lower: The same in lower case, if that is known: to make it may take as long as a rule.
    """
    count = 0
    for pattern, check, word in rules:
        if word and lower is None:
            lower = text.lower()
        text, more = replace_groups(text, pattern, check, word, lower or "")
        if more:
            count += more
            lower = None
    return text, count


def _always(_name: str, _value: str) -> bool:
    return True


def _is_given(_name: str, value: str) -> bool:
    return not is_placeholder(value)


def _is_random(_name: str, value: str) -> bool:
    return looks_random(value)


def _is_telling(_name: str, value: str) -> bool:
    """Return whether a value is more than a word of a sentence."""
    word = value.rstrip(".!?)")
    return not is_placeholder(value) and (not is_plain_word(word) or len(word) >= 20)


def _is_bearer(_name: str, value: str) -> bool:
    plain = value.rstrip(".")
    return any(map(str.isdigit, plain)) or (
        plain.isalpha() and plain[1:] not in (plain[1:].lower(), plain[1:].upper())
    )


def _is_basic(_name: str, value: str) -> bool:
    try:
        padded = value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4)
        plain = base64.b64decode(padded, altchars=b"-_" if set("-_") & set(value) else None)
        return b":" in plain and plain.decode().isprintable()
    except (binascii.Error, UnicodeDecodeError):
        return False
