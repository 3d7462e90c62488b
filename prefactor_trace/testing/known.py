"""Whether a name that a question finds nothing of is known at all: else it is misspelt.

A question for what never happened passes also where its name is misspelt. It fails then, if there
is little doubt: the name belongs to no span and to no span type, nearly the same one does, and no
code of the program has it. Of the names of blocks that have not run only the code knows.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

from prefactor_trace._default import default
from prefactor_trace._schema.declared import fields_of
from prefactor_trace.testing.conditions import OF_THE_SPAN, Condition
from prefactor_trace.testing.program import asking_file, own_files
from prefactor_trace.testing.spans import RecordedSpan

_SHORTEST = 4  # letters of a word in which one may be wrong: shorter ones are often that near
_WORDS = re.compile(r"[^\W_]+")


def misspelt_name(name: str, spans: Sequence[RecordedSpan]) -> str | None:
    """Return the name that is surely meant by one which nobody knows, ``None`` without doubt."""
    known = {span.schema_name for span in spans}
    for run in {id(span.instance): span.instance for span in spans}.values():
        known.update(run.span_types)
    known.update(default._registry._span_types)
    return _meant(name, known)


def misspelt_key(
    name: str, conditions: Sequence[Condition], spans: Sequence[RecordedSpan]
) -> tuple[str, str] | None:
    """Return a key that no such span can have, and the one that is surely meant."""
    known = {key for span in spans if span.schema_name == name for key in span.payload}
    said = default._registry._span_types.get(name)
    if said is not None:
        known.update(fields_of(said.params) or ())
        for function in said.functions:
            known.update(function.parameters or ())
    for one in conditions:
        if one.key is None or (one.key in OF_THE_SPAN and not one.of_payload):
            continue
        if near := _meant(one.key, known, is_key=True):
            return one.key, near
    return None


def _meant(word: str, known: Collection[str], *, is_key: bool = False) -> str | None:
    if word in known:
        return None
    near = next((one for one in sorted(known) if _is_near(word, one)), None)
    return None if near is None or _is_in_code(word, is_key=is_key) else near


def _is_near(one: str, other: str) -> bool:
    """Return whether two names are the same but for what is easily mistyped."""
    words, others = _words(one), _words(other)
    if "".join(words) == "".join(others):
        return bool(words)
    differing = [pair for pair in zip(words, others, strict=False) if pair[0] != pair[1]]
    if len(words) != len(others) or len(differing) != 1:
        return False
    first, second = differing[0]
    is_word = first.isalpha() and second.isalpha() and max(map(len, differing[0])) >= _SHORTEST
    return is_word and _is_one_edit(first, second)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _is_one_edit(one: str, other: str) -> bool:
    """Return whether one letter is too much, another, or changed places with the next."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        wrong = [at for at in range(len(short)) if short[at] != long[at]]
        swapped = [pair for pair in pairwise(wrong) if pair[1] == pair[0] + 1]
        if len(wrong) == 2 and swapped:
            at = wrong[0]
            return short[at : at + 2] == long[at + 1] + long[at]
        return len(wrong) == 1
    return len(long) == len(short) + 1 and any(
        short == long[:at] + long[at + 1 :] for at in range(len(long))
    )


def _is_in_code(word: str, *, is_key: bool) -> bool:
    """Return whether a file of the program has this word: as a text, or as that of a field.

    The one that asks has it, which says nothing: there, only a span of that name or a field does.
    """
    asking, plain, word = asking_file(), word.encode(), re.escape(word)
    anywhere = rf"""["']{word}["']""" + (rf"|\b{word}\s*(?:=(?!=)|:)" if is_key else "")
    there = rf"\b{word}\s*:" if is_key else rf"""span\(\s*["']{word}["']"""
    for path in own_files():
        pattern = re.compile(there if path == asking else anywhere)
        text = _text_with(plain, path)
        if text and pattern.search(text):
            return True
    return False


def _text_with(word: bytes, path: str) -> str:
    """Return what stands in a file that has a word; nothing where it has not."""
    try:
        content = Path(path).read_bytes()
    except OSError:  # a module may be in an archive
        content = "".join(linecache.getlines(path)).encode()
    return content.decode(errors="replace") if word in content else ""
