"""Tokens that show by how they begin: those that services give out with a prefix of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefactor_trace._capture.redaction_filter import Filter
from prefactor_trace._capture.redaction_keys import looks_random
from prefactor_trace._capture.redaction_spans import replace_spans
from prefactor_trace._notes import MARKER

# All but two kinds, whose first part may be of any length.
_MOST_TOKENS = (
    r"sk-[\w-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|gl[a-z]{1,8}-[\w-]{20,}"
    r"|xox[a-z]-[A-Za-z0-9-]{11,}|xapp-[A-Za-z0-9-]{11,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"
    r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{16,}|fw_[A-Za-z0-9]{20,}"
    r"|[srp]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{16,}"
    r"|(?:gsk|r8|lsv2_[a-z]{2}|dop_v1|shp[a-z]{2}|dapi|tvly|xai|pplx|nvapi|lin_api|ntn|sntrys|phc"
    r"|jina|vc[kp]|vercel_blob_rw)[_-][\w-]{16,}|hvs\.[\w-]{20,}|dp\.[a-z]{2,6}\.[\w-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|pcsk_\w{20,}|(?:dapi|sbp_|sk_|key-|SK)[0-9a-f]{32,}"
    r"|\d{8,10}:AA[\w-]{32,}"
)
# A token begins where a word begins, also behind an escaped line break or a percent sign; in the
# addresses of Telegram behind `/bot`.
_AT_WORD = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=/bot))"
_TOKEN = re.compile(
    rf"{_AT_WORD}({_MOST_TOKENS}"
    r"|(?<![-_])SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|(?<![-_])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*)",
    re.ASCII,
)
# As much as all of them have at their beginnings, in at most so many characters.
_BEGINNING = rf"{_MOST_TOKENS}|SG\.[\w-]{{16}}|eyJ[\w-]{{5}}"
_REACH = 64
_BEGIN = re.compile(_AT_WORD + f"(?:{_BEGINNING})", re.ASCII)
BEGIN_OF_TOKEN = rf"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{{2}}|/bot)(?-u:{_BEGINNING})"
"""What is in each text with a token, for a filter."""

_FILTER = Filter(BEGIN_OF_TOKEN, _REACH)
# These are followed by so much of their own that words cannot be meant.
_SURE_TOKEN = re.compile(
    r"gh[pousr]_|github_pat_|A(?:KIA|SIA)|AIza|eyJ|\d|[srp]k_|xox|SG\.|AGE-|hf_[A-Za-z0-9]{30}"
    r"|sk-(?:[a-z0-9]{1,10}-){0,3}[A-Za-z0-9]{32}"
)


def hide_tokens(text: str) -> tuple[str, int]:
    """Return a text without the tokens in it, and how many there were."""
    spans = list(_tokens(text))
    return replace_spans(text, spans) if spans else (text, 0)


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for first, last in _FILTER.regions(text):
        at = max(first, end)
        while (begun := _BEGIN.search(text, at, last + _REACH)) and begun.start() < last:
            at = begun.start() + 1
            if found := _TOKEN.match(text, begun.start()):
                end = at = found.end()
                if found[1] != MARKER and _is_token(found[1]):
                    yield found.span(1)


def _is_token(value: str) -> bool:
    return bool(_SURE_TOKEN.match(value)) or looks_random(value)
