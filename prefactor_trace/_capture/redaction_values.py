"""Secrets that are known by their value, in the forms that they travel in."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote

from prefactor_trace._capture.redaction_filter import Filter, is_unicode
from prefactor_trace._capture.redaction_keys import SecretNames, Verdict, looks_random, words_of
from prefactor_trace._locks import make_lock
from prefactor_trace._notes import MARKER

SHORTEST = 4
"""Characters of the shortest value that can be hidden: shorter ones are in every text."""

# A text is looked at in steps of four, five characters at a time. An occurrence of eight or more
# then shows one of its first four pieces, so that four pieces a value are all that is looked up.
_STEP = 4
_PIECE = 5
_LONG = _STEP + _PIECE - 1

_MAX_VALUES = 10_000
_MAX_SHORT = 100  # each of them is looked for in every text
_MAX_FILTERED = 1_000  # forms that a filter looks for: so many take it 10 ms to build
_WORTH = 200  # characters of text that it takes as long to look through as to build in one form
_TELLING_ENDS = frozenset({"token", "key", "pass", "auth"})
_USERINFO = re.compile(r"://[^\s/:@]{0,256}:([^\s/]{1,512})@")


class KnownSecrets:
    """Values to be hidden wherever they turn up, also inside longer text.

    Attributes:
        version: Grows with each value.
        longest: Characters of the longest form of any of them.
    """

    def __init__(self) -> None:
        self.version = 0
        self.longest = 0
        self._lock = make_lock()
        self._forms: dict[str, tuple[str, ...]] = {}
        self._pieces: dict[str, tuple[str, ...]] = {}
        self._short: dict[str, re.Pattern[str]] = {}
        self._filter: Filter | None = None  # of the values that there are now
        self._unfiltered = 0  # characters that were looked through without

    def add(self, value: str) -> bool:
        """Hide `value` from now on, and return whether it is long enough for that.

        One of fewer than eight characters is hidden only where it stands as a word of its own.
        """
        if len(value.strip()) < SHORTEST or value in MARKER:
            return False
        with self._lock:
            if value in self._forms or value in self._short:
                return True
            if len(value) < _LONG:
                # A new mapping each time, since readers take no lock while they go through it.
                newest = list(self._short.items())[1 - _MAX_SHORT :]
                pattern = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
                self._short = {**dict(newest), value: pattern}
                self.version += 1
                return True
            self._forms[value] = forms = tuple(forms_of(value))
            self._filter = None
            self._unfiltered = 0
            self.longest = max((self.longest, *map(len, forms)))
            for form in forms:
                for piece in _first_pieces(form):
                    self._pieces[piece] = (*self._pieces.get(piece, ()), form)
            self.version += 1
            if len(self._forms) > _MAX_VALUES:
                self._forget(next(iter(self._forms)))
        return True

    def _forget(self, value: str) -> None:
        """Drop a value, so that a program that makes one a request does not grow without end."""
        forms = set(self._forms.pop(value))
        for form in forms:
            for piece in _first_pieces(form):
                left = tuple(other for other in self._pieces.get(piece, ()) if other not in forms)
                if left:
                    self._pieces[piece] = left
                else:
                    self._pieces.pop(piece, None)

    def hide(self, text: str) -> tuple[str, int]:
        """Return `text` without the values, and how many there were."""
        count = 0
        pieces = self._pieces
        if pieces and len(text) >= _LONG and self._may_hold(text):
            found: set[str] = set()
            for at in range(0, len(text) - _PIECE + 1, _STEP):
                if (piece := text[at : at + _PIECE]) in pieces:
                    found.update(pieces.get(piece, ()))
            forms = sorted((form for form in found if form in text), key=len, reverse=True)
            if forms:
                text, count = re.subn("|".join(map(re.escape, forms)), MARKER, text)
        for value, pattern in self._short.items():
            if value in text:
                text, more = pattern.subn(MARKER, text)
                count += more
        return text, count

    def _may_hold(self, text: str) -> bool:
        """Return whether one of the longer values may be in a text: in a tenth of the time."""
        found = self._filter or self._new_filter(len(text))
        return found is None or found.may_find(text)

    def _new_filter(self, length: int) -> Filter | None:
        """Return a filter of the values, if there are few and it pays by now.

        It does not while each text comes with another value.
        """
        with self._lock:
            self._unfiltered += length
            forms = len(self._pieces) // _STEP
            if forms > _MAX_FILTERED or self._unfiltered < _WORTH * forms:
                return None
            begins = {form[:_LONG] for value in self._forms.values() for form in value}
            # One with a lone surrogate is only in texts that no filter takes.
            words = (re.escape(begin) for begin in sorted(begins) if is_unicode(begin))
            self._filter = Filter("|".join(words))
            return self._filter

    def begins_in(self, text: str) -> bool:
        """Return whether the beginning of a value is in a text that may have been cut off."""
        return any(value[:_LONG] in text for value in self._forms.copy())


def forms_of(value: str) -> set[str]:
    """Return a value as it stands in text, JSON, code, URLs, HTML, base64 and hexadecimal."""
    data = value.encode("utf-8", "surrogatepass")
    in_json = json.dumps(value)[1:-1]
    encoded = [quote(data, safe=""), quote(data), quote_plus(data)]
    forms = {
        value,
        in_json,
        json.dumps(in_json)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        ascii(value)[1:-1],
        repr(value)[1:-1],
        in_json.replace("/", "\\/"),
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;"),
        data.hex(),
        data.hex().upper(),
        *encoded,
        *(re.sub(r"%..", lambda found: found[0].lower(), form) for form in encoded),
        *_base64_cores(data),
    }
    return {form for form in forms if len(form) >= _LONG}


def _base64_cores(data: bytes) -> Iterator[str]:
    """Give what base64 makes of `data` alone, wherever in a longer value it stands."""
    for ahead in range(3):
        padded = bytes(ahead) + data
        # The first and the last character may hold bits of the neighbours.
        core = slice((ahead * 8 + 5) // 6, len(padded) * 8 // 6)
        yield base64.b64encode(padded).decode()[core]
        yield base64.urlsafe_b64encode(padded).decode()[core]
    yield base64.b64encode(data).decode()
    yield base64.urlsafe_b64encode(data).decode()


def _first_pieces(form: str) -> set[str]:
    return {form[at : at + _PIECE] for at in range(_STEP)}


def environment_secrets(environ: Mapping[str, str], names: SecretNames) -> Iterator[str]:
    """Give the values of variables that look like credentials, and passwords of URLs in any."""
    for name, value in environ.items():
        if len(value) < _LONG:
            continue
        if "://" in value:
            if (found := _USERINFO.search(value)) and not _is_ordinary(found[1]):
                yield from {found[1], unquote(found[1])}
            continue
        words = words_of(name)
        secret = names.judge(name) is Verdict.SECRET
        if words and words[-1] in _TELLING_ENDS and "public" not in words:
            secret = secret or looks_random(value)
        if secret and not _is_ordinary(value):
            yield value


def _is_ordinary(value: str) -> bool:
    """Return whether a value would be met in texts that have nothing to do with it.

    A database whose password is `postgres` must not take that word out of every trace.
    """
    if len(value) < _LONG or (len(value) < 16 and (value.isalpha() or value.isdigit())):
        return True
    try:
        return os.path.exists(value)  # noqa: PTH110  # also of what is no path at all
    except (OSError, ValueError):
        return False


process_secrets = KnownSecrets()
"""The values that `register_secret` was given and that were seen as secrets: a fact of the process,
whichever tracer writes them."""
