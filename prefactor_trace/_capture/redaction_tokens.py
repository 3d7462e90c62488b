"""Tokens that show by how they begin: those that services give out with a prefix of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefactor_trace._capture.redaction_hook import MARKER
from prefactor_trace._capture.redaction_keys import looks_random
from prefactor_trace._capture.redaction_spans import replace_spans

# A token begins where a word begins, also behind an escaped line break or a percent sign.
_TOKEN = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
    r"(sk-[\w-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|gl[a-z]{1,8}-[\w-]{20,}"
    r"|xox[a-z]-[A-Za-z0-9-]{11,}|xapp-[A-Za-z0-9-]{11,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"
    r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{16,}"
    r"|(?<![-_])SG\.[\w-]{16,}\.[\w-]{16,}|[srp]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{16,}"
    r"|(?:gsk|r8|lsv2_[a-z]{2}|dop_v1|shp[a-z]{2}|dapi|tvly|xai|pplx|nvapi|lin_api|ntn|sntrys|phc)"
    r"[_-][\w-]{16,}|hvs\.[\w-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|\d{8,10}:AA[\w-]{32,}"
    r"|(?<![-_])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*)",
    re.ASCII,
)
# A piece that each of the tokens has at its beginning. Finding these around long runs of
# characters takes a third of having the pattern search a long text.
_BEGINNINGS = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "gl", "xox", "xapp-", "AKIA"),
    *("ASIA", "AIza", "ya29.", "GOCSPX-", "hf_", "npm_", "pypi-", "SG.", "sk_", "rk_", "pk_"),
    *("whsec_", "gsk", "r8", "lsv2_", "dop_v1", "shp", "dapi", "tvly", "xai", "pplx", "nvapi"),
    *("lin_api", "ntn", "sntrys", "phc", "hvs.", "AGE-SECRET-KEY-1", "eyJ"),
)
_BEHIND_DIGITS = ":AA"
_MOST_DIGITS = 10
_JWT = "eyJ"  # whose parts may be short
_MOST_BEFORE = 16  # characters of a token that stand before its long run
_LONG_RUN = re.compile(r"\b[\w-]{16,}", re.ASCII)  # each of the tokens has one
# These are followed by so much of their own that words cannot be meant.
_SURE_TOKEN = re.compile(r"gh[pousr]_|github_pat_|A(?:KIA|SIA)|AIza|eyJ|\d|[srp]k_|xox|SG\.|AGE-")


def hide_tokens(text: str) -> tuple[str, int]:
    """Return a text without the tokens in it, and how many there were."""
    spans = list(_tokens(text))
    return replace_spans(text, spans) if spans else (text, 0)


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for start in sorted(_starts(text)):
        found = _TOKEN.match(text, start) if start >= end else None
        if found is not None:
            end = found.end()
            if found[1] != MARKER and _is_token(found[1]):
                yield found.span(1)


def _starts(text: str) -> set[int]:
    """Return where a token may begin."""
    starts: set[int] = set()
    for run in _LONG_RUN.finditer(text):
        first, last = max(0, run.start() - _MOST_BEFORE), run.end()
        for piece in _BEGINNINGS:
            starts.update(_places(text, piece, first, last))
        for at in _places(text, _BEHIND_DIGITS, first, last):
            before = at
            while before > 0 and at - before < _MOST_DIGITS and text[before - 1].isdigit():
                before -= 1
            starts.update(range(before, at))
    starts.update(_places(text, _JWT, 0, len(text)))
    return starts


def _places(text: str, piece: str, first: int, last: int) -> Iterator[int]:
    at = text.find(piece, first, last)
    while at >= 0:
        yield at
        at = text.find(piece, at + 1, last)


def _is_token(value: str) -> bool:
    return bool(_SURE_TOKEN.match(value)) or looks_random(value)
