"""Secrets that text assigns to a name: in JSON, YAML, dotenv files, DSNs, XML and code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefactor_trace._capture.redaction_filter import Filter
from prefactor_trace._capture.redaction_keys import SecretNames, Verdict, looks_random
from prefactor_trace._capture.redaction_spans import replace_spans
from prefactor_trace._notes import MARKER

_PLACEHOLDER = re.compile(
    r"\$\{[\w.:?-]*\}?|\$\([\w./ -]*\)?|\$[A-Z_][A-Z0-9_]*|\{[\w.\[\]'\"!: {}]*\}"
    r"|%\(\w+\)s|%s|<[\w .:-]*>|\*{3,}|\.{3,}|…|[xX]{3,}"
    r"|\[redacted\]|None|null|nil|[Tt]rue|[Ff]alse|undefined"
    r"|Bearer|Basic|Digest|Token|AWS4-HMAC-SHA256|[\w-]{1,20} \[redacted\]",
)
_VARIABLE_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_BARE = re.compile(r"[^\s\"',;&<>\\]+")
# `Password=two words;Uid=me`: the next pair tells that the value goes on up to the semicolon.
_IN_DSN = re.compile(r"[^;=\"'\n]{1,256}(?=;\s?[A-Za-z][\w ]{1,32}=)")
# `("Authorization", "...")`, but not `getenv("API_KEY", "...")`.
_OPENS_PAIR = re.compile(r"(?:^|[^\w\s])\s?[(\[]b?\\{0,8}[\"']$")
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[\w.-]+)+/?")
_CASED = re.compile(r"[A-Z]?[^A-Z]+|[A-Z]+")
_ELEMENT = re.compile(r"[^<]+(?=</)")
_CODE = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*[(\[]|(?:[A-Za-z_]+\.)+[A-Za-z_]+$|[a-z]+(?:_[a-z]+)+$"
)
_HIDDEN = tuple(operator + MARKER for operator in (":", "=", ">"))
_NAME_CHARACTERS = frozenset("_-.$")
_LONGEST_NAME = 64
_MOST_BEHIND = 128  # characters that the pattern may match behind a hint, and more
# In `print("Password: ", given)` the quote behind the colon ends a string, and begins none.
_BEHIND_STRINGS = frozenset(" ),;]}+")
_STRING_PREFIXES = frozenset("bBfFrRuU")


class Assignments:
    """Finds values that are assigned to secret names.

    Args:
        names: The names.
    """

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        words = "|".join(map(re.escape, names.hints))
        # The lookahead takes the rest of the name once: without it, a long run of names would be
        # tried at each of its ends again.
        self._pattern = re.compile(
            rf"(?:{words})(?=([\w-]{{0,48}}))\1[*`]{{0,2}}(\\{{0,8}}[\"']?)\]?\s{{0,4}}"
            r"(=>|:=|={1,3}|[:>,])[*`]{0,2}\s{0,4}",
            re.IGNORECASE,
        )
        # What the pattern finds, more loosely: a hint and an operator, with no other and no more
        # than one gap between.
        self._filter = Filter(
            rf"(?:{words})[^\s=:>,]*[\s\x1c-\x1f]*[=:>,]", max(map(len, names.hints)) + _MOST_BEHIND
        )

    def hide(self, text: str, lower: str | None = None) -> tuple[str, int]:
        """Return `text` without the assigned secrets, and how many there were.

        Args:
            text: Where to look.
            lower: The same in lower case, if that is known.
        """
        return replace_spans(text, self._spans(text, text.lower() if lower is None else lower))

    def _spans(self, text: str, lower: str) -> Iterator[tuple[int, int]]:
        at = 0
        for start in self._starts(text, lower):
            found = self._pattern.match(text, start) if start >= at else None
            if found is None:
                continue
            at = found.end()
            verdict = self._judge(text, found)
            if verdict is Verdict.HARMLESS:
                continue
            span = _value_span(text, found)
            if span is None or (
                verdict is Verdict.DOUBTFUL and not looks_random(text[slice(*span)])
            ):
                continue
            yield span
            at = span[1]

    def _starts(self, text: str, lower: str) -> list[int]:
        """Return where a piece of a secret name stands: the pattern can match nowhere else.

        Finding them takes a tenth of having the pattern search the text, and a hundredth where the
        filter shows that none is assigned to.
        """
        if len(lower) != len(text):  # as that of a Turkish I: the places are other ones
            return list(range(len(text)))
        starts = set()
        for first, last in self._filter.regions(lower):
            for hint in self._names.hints:
                until = last + len(hint) - 1
                at = lower.find(hint, first, until)
                while at >= 0:
                    starts.add(at)
                    at = lower.find(hint, at + 1, until)
        return sorted(starts)

    def _judge(self, text: str, found: re.Match[str]) -> Verdict:
        start = found.start()
        first = max(0, start - _LONGEST_NAME)
        begin = _begin_of_name(text, start, first)
        if found[3] == ">" and text[begin - 1 : begin] != "<":
            return Verdict.HARMLESS
        if found[3] == "," and not _OPENS_PAIR.search(text, max(0, begin - 12), begin):
            return Verdict.HARMLESS
        name = text[begin : found.end(1)]
        verdict = self._names.judge(name)
        if verdict is not Verdict.SECRET and begin == start and text[begin - 1 : begin] == " ":
            # People write `API key: ...`.
            spaced = text[_begin_of_name(text, begin - 1, first) : found.end(1)]
            verdict = max(verdict, self._names.judge(spaced))
        return verdict


def is_placeholder(value: str) -> bool:
    """Return whether a value only stands for one: ``${PASSWORD}``, ``<key>``, ``***``, ``None``."""
    return bool(_PLACEHOLDER.fullmatch(value) or _PLACEHOLDER.fullmatch(value.rstrip(".,;)")))


def is_plain_word(text: str) -> bool:
    """Return whether a text is made of letters, like a word or the name of a variable.

    `PqNVyX` is no such name: its capitals do not begin words.
    """
    if not text.isalpha():
        return False
    parts = _CASED.findall(text)
    return len(parts) < 3 or len(text) >= 4 * len(parts)


def _is_code(value: str) -> bool:
    """Return whether a value is an expression: `settings.password`, `read_password(`."""
    if not _CODE.match(value):
        return False
    return "[" in value or "(" in value or is_plain_word(re.sub(r"[._]", "", value))


def _begin_of_name(text: str, end: int, first: int) -> int:
    while end > first and (text[end - 1].isalnum() or text[end - 1] in _NAME_CHARACTERS):
        end -= 1
    return end


def _value_span(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """Return where the assigned value stands, or `None` if it is none that must be hidden."""
    at = found.end()
    operator = found[3]
    if operator == ">":
        element = _ELEMENT.match(text, at)
        return element.span() if element and not is_placeholder(element[0].strip()) else None
    if text.startswith("SecretStr(", at):
        at += len("SecretStr(")
    if text[at : at + 1] in _STRING_PREFIXES and text[at + 1 : at + 2] in ('"', "'"):
        at += 1
    quote = at
    while text[quote : quote + 1] == "\\" and quote - at < 8:
        quote += 1
    if text[quote : quote + 1] in ('"', "'"):
        if text.startswith(text[quote] * 3, quote):
            quote += 2
        end = _end_of_string(text, quote, quote - at)
        value = text[quote + 1 : end]
        if operator == ":" and not found[2] and value[:1] in _BEHIND_STRINGS:
            return None
        if operator == "," and not _is_telling_word(value):
            return None
        hidden = value and not is_placeholder(value) and not _VARIABLE_NAME.fullmatch(value)
        return (quote + 1, end) if hidden else None
    return None if operator == "," else _bare_span(text, at, found)


def _end_of_string(text: str, quote: int, depth: int) -> int:
    """Return where the string ends that opens at `quote`, behind `depth` backslashes."""
    at = quote
    while (at := text.find(text[quote], at + 1)) >= 0:
        slashes = 0
        while slashes < at - quote - 1 and text[at - 1 - slashes] == "\\":
            slashes += 1
        # A quote within the string is escaped once more than those around it.
        if slashes <= depth or (depth == 0 and slashes % 2 == 0):
            return at - min(slashes, depth)
    return len(text)


def _bare_span(text: str, at: int, found: re.Match[str]) -> tuple[int, int] | None:
    tight = found[3] == "=" and not text[at - 1].isspace() and found.end(2) == found.start(3)
    bare = (tight and _IN_DSN.match(text, at)) or _BARE.match(text, at)
    if bare is None or text.startswith(MARKER, at) or text[at] in "[({":
        return None
    if bare[0].rstrip(".)}:").endswith(_HIDDEN):
        return None  # it is itself a name, whose value is hidden already
    value = bare[0].rstrip(".)]}:")
    end = at + len(value)
    if is_placeholder(value) or _is_code(value) or _VARIABLE_NAME.fullmatch(value):
        return None
    if found[2]:  # a quoted name, so that it is data, and no sentence
        return (at, end) if value and not value.isalpha() else None
    if tight:
        # `login(password=given)` names a variable.
        is_argument = value.replace("_", "").isalpha() and text[end : end + 1] in (")", ",")
        return (at, end) if len(value) >= 4 and not is_argument else None
    return (at, end) if _is_telling_word(value) else None


def _is_telling_word(value: str) -> bool:
    """Return whether a value is more than the next word of a sentence."""
    plain = value.strip("*`").removeprefix("Bearer ")
    if _PATH.fullmatch(plain) and not looks_random(plain.replace("/", "")):
        return False
    return (
        len(plain) >= 6
        and not is_plain_word(plain)
        and "://" not in plain
        and len(plain.split()) == 1
    )
