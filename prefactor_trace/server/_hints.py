"""What went into a span, as the few words that a row of the viewer has room for."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from prefactor_trace._notes import PREFIX, TRUNCATED

_READ = 600  # characters of a payload's JSON that are enough to tell
_READ_OF_TALK = 12_000  # where what the user asks may stand behind a system prompt

BEGINNING = (
    f"substr(payload, 1, CASE WHEN instr(substr(payload, 1, {_READ}), '\"role\"') "
    f"OR instr(substr(payload, 1, {_READ}), '\"system\"') THEN {_READ_OF_TALK} ELSE {_READ} END)"
)
"""What is read of a payload, in SQL, for `hint_of`."""

_ASKS = ("user", "human")  # whose messages tell more than a system prompt, which is always the same
_LONGEST = 160
_LONGEST_TEXT = 60
_LONGEST_JSON = 40


def hint_of(text: str | None) -> str | None:
    """Return the first fields of a payload in one line, given its JSON or the beginning of it."""
    if not text:
        return None
    try:
        values = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    said = (f"{key}: {short(one)}" for key, one in values.items() if not key.startswith(PREFIX))
    return _cut(", ".join(said), _LONGEST) or None


def short(value: Any) -> str:
    """Return a value of JSON in a few words."""
    if isinstance(value, list):
        value = next(filter(None, map(_asked, reversed(value))), value)
    value = _beginning(value)
    if isinstance(value, str):
        return _cut(" ".join(value[: 2 * _LONGEST_TEXT].split()), _LONGEST_TEXT)
    return _cut(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")), _LONGEST_JSON)


def _asked(message: Any) -> str | None:
    """Return what the user said in a message of a conversation, `None` for anything else."""
    if not isinstance(message, dict) or message.get("role", message.get("type")) not in _ASKS:
        return None
    said = message.get("content")
    if isinstance(said, list):  # of parts, which may be pictures, too
        texts = (one.get("text") for one in said if isinstance(one, dict))
        said = next(filter(None, texts), None)
    said = _beginning(said)
    return said if isinstance(said, str) else None


def _beginning(value: Any) -> Any:
    """Return the beginning of a text that was too long to be recorded whole, else the value."""
    if isinstance(value, dict) and TRUNCATED in value and isinstance(value.get("head"), str):
        return value["head"]
    return value


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
