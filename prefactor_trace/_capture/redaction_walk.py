"""A walk over plain JSON that hides what is secret by its name, by its value or by its shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prefactor_trace._capture.redaction_clean import JSON_BEGINS, LARGE, CleanTexts
from prefactor_trace._capture.redaction_keys import SecretNames, Verdict, looks_random
from prefactor_trace._capture.redaction_shapes import SecretShapes
from prefactor_trace._capture.redaction_values import SHORTEST, KnownSecrets
from prefactor_trace._capture.values import Json
from prefactor_trace._notes import MARKER

_MAX_DEPTH = 200

# `{"name": "Authorization", "value": "..."}`, as HTTP archives, forms and clouds write pairs.
_NAMING_KEYS = ("name", "key", "header", "field", "variable", "Name", "Key")
_VALUE_KEYS = ("value", "values", "Value")
_BYTES_KEYS = {"type", "length", "head"}

# A JSON schema describes a password, and has none but in the second set.
_SCHEMA_TYPES = ("string", "object", "array", "integer", "number", "boolean")
_SCHEMA_KEYS = frozenset({
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "deprecated",
    "description", "enum", "example", "examples", "format", "items", "maxLength", "minLength",
    "nullable", "oneOf", "pattern", "properties", "readOnly", "required", "title", "type",
    "writeOnly",
})  # fmt: skip
_SCHEMA_SAMPLES = frozenset({"const", "default", "enum", "example", "examples"})


class Walk:
    """One walk over plain JSON.

    Args:
        names: Names of secrets.
        shapes: Shapes of secrets.
        known: Secrets that are known by their value.
        clean: Texts that were looked through before.

    Attributes:
        count: How many values were replaced so far.
    """

    __slots__ = ("_clean", "_known", "_names", "_shapes", "count")

    def __init__(
        self, names: SecretNames, shapes: SecretShapes, known: KnownSecrets, clean: CleanTexts
    ) -> None:
        self._names = names
        self._shapes = shapes
        self._known = known
        self._clean = clean
        self.count = 0

    def value(self, value: Any, depth: int) -> Json:
        """Return a value without secrets: the same object if it has none."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict:
            return self.mapping(value, depth) if depth < _MAX_DEPTH else self._hide()
        if kind is list:
            return self._sequence(value, depth) if depth < _MAX_DEPTH else self._hide()
        if kind is int and abs(value) >= LARGE and self._known.hide(str(value))[1]:
            return self._hide()
        return value

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if len(text) < SHORTEST or self._clean.knows(text):
            return text
        return self._searched(text)

    def _searched(self, text: str) -> str:
        plain, count = self._known.hide(text)
        self.count += count
        if plain[0] in JSON_BEGINS and self._names.hinted(plain.lower()):
            plain = self._json_text(plain)
        plain, count = self._shapes.hide(plain)
        self.count += count
        if plain is text:
            self._clean.keep(text)
        return plain

    def _json_text(self, text: str) -> str:
        """Return JSON text with the rules for JSON applied, which see more than those for text."""
        try:
            parsed = json.loads(text)
            found = self.count
            plain = self.value(parsed, _MAX_DEPTH // 2)
            return text if self.count == found else json.dumps(plain, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text

    def mapping(self, value: dict[str, Json], depth: int) -> dict[str, Json]:
        """Return a mapping without secrets."""
        if len(value) == 3 and value.keys() == _BYTES_KEYS and _is_cut_bytes(value):
            return self._bytes(value)
        copy: dict[str, Json] = {}
        changed = False
        paired = self._secret_pair(value)
        harmless = self._clean.harmless
        for key, item in value.items():
            if key in harmless and not paired:
                plain = self.text(item) if type(item) is str else self.value(item, depth + 1)
                changed = changed or plain is not item
                copy[key] = plain
                continue
            name = self._key(key, copy, value)
            plain = self.hide_all(item) if key in paired else self._named(name, item, depth)
            looked_through = len(name) < SHORTEST or name in self._clean
            if looked_through and self._names.judge(name) is Verdict.HARMLESS:
                self._clean.keep_harmless(name)
            changed = changed or name is not key or plain is not item
            copy[name] = plain
        return copy if changed else value

    def _key(self, key: str, *taken: Mapping[str, Json]) -> str:
        """Return a key without secrets, and unlike the others."""
        # Not as a value is known, of which perhaps only the ends were looked through: a key that is
        # cut shows more of its beginning.
        plain = key if len(key) < SHORTEST or key in self._clean else self._searched(key)
        if plain is key:
            return key
        number, free = 1, plain
        while any(free in keys for keys in taken):
            number += 1
            free = f"{plain} {number}"
        return free

    def _named(self, name: str, item: Any, depth: int) -> Json:
        verdict = self._names.judge(name)
        if verdict is Verdict.SECRET:
            if type(item) is dict and _is_schema(item):
                return {
                    key: self.hide_all(part)
                    if key in _SCHEMA_SAMPLES
                    else self.value(part, depth + 2)
                    for key, part in item.items()
                }
            return self.hide_all(item)
        if verdict is Verdict.DOUBTFUL:
            if type(item) is str and looks_random(item):
                return self._hide()
            if name == "auth" and type(item) is list and len(item) == 2:
                return [self.value(item[0], depth + 2), self.hide_all(item[1])]
        return self.value(item, depth + 1)

    def _secret_pair(self, value: dict[str, Json]) -> tuple[str, ...]:
        """Return the keys of the value, if this is a name and a value with a secret's name."""
        # One by one, which takes a third of a comprehension: it is asked of each mapping.
        if not ("value" in value or "values" in value or "Value" in value):
            return ()
        given = tuple(key for key in _VALUE_KEYS if key in value)
        names = [value[key] for key in _NAMING_KEYS if key in value]
        secret = any(self._is_secret_name(name) for name in names)
        return given if secret else ()

    def _is_secret_name(self, name: Any) -> bool:
        if type(name) is dict and name.keys() == _BYTES_KEYS and _is_cut_bytes(name):
            name = _bytes_text(name)
        if type(name) is not str or name[:1] in ("{", "["):
            return False  # a text in JSON is no name, whatever names are in it
        # Without known values, as it will be recorded: `dsn-<known>-password`.
        plain = self._known.hide(name)[0]
        return Verdict.SECRET in (self._names.judge(name), self._names.judge(plain))

    def _is_flag(self, word: Any) -> bool:
        is_flag = type(word) is str and word[:2] == "--" and word[2:3] != "-"  # of a PEM
        return is_flag and self._is_secret_name(word)

    def _sequence(self, value: list[Json], depth: int) -> list[Json]:
        pairs = all(type(item) is list and len(item) == 2 for item in value)
        copy: list[Json] = []
        for index, item in enumerate(value):
            before = value[index - 1] if index else None
            if pairs and self._is_secret_name(item[0]):
                pair = [self.value(item[0], depth + 2), self.hide_all(item[1])]
                copy.append(item if pair == item else pair)
            elif self._is_flag(before) and not (type(item) is str and item[:1] == "-"):
                # The arguments of a command: `["--password", "..."]`.
                copy.append(self.hide_all(item))
            else:
                copy.append(self.value(item, depth + 1))
        changed = any(new is not old for new, old in zip(copy, value, strict=True))
        return copy if changed else value

    def hide_all(self, value: Any) -> Json:
        """Return a value of the same shape in which every text and number is hidden."""
        kind = type(value)
        if kind is dict:
            copy: dict[str, Json] = {}
            for key, item in value.items():
                copy[self._key(key, copy, value)] = self.hide_all(item)
            return copy
        if kind is list:
            return [self.hide_all(item) for item in value]
        if kind is bool or value is None or value in ("", MARKER):
            return value
        return self._hide()

    def _bytes(self, value: dict[str, Json]) -> dict[str, Json]:
        """Return what is shown of a binary value, whose beginning may be that of a secret."""
        text = _bytes_text(value)
        in_utf8 = text.encode("latin-1").decode("utf-8", "replace")
        if self._shapes.hide(text)[1] or any(map(self._shows_known, {text, in_utf8})):
            self.count += 1
            return {"type": value["type"], "length": MARKER, "head": MARKER}
        return value

    def _shows_known(self, text: str) -> bool:
        return self._known.hide(text)[1] > 0 or self._known.begins_in(text)

    def _hide(self) -> str:
        self.count += 1
        return MARKER


def _is_schema(value: dict[str, Json]) -> bool:
    known = value.get("type") in _SCHEMA_TYPES or "$ref" in value or "anyOf" in value
    return known and value.keys() <= _SCHEMA_KEYS


def _is_cut_bytes(value: dict[str, Json]) -> bool:
    head = value["head"]
    if value["type"] not in ("bytes", "bytearray", "memoryview") or type(head) is not str:
        return False
    try:
        bytes.fromhex(head)
    except ValueError:
        return False
    return True


def _bytes_text(value: dict[str, Json]) -> str:
    return bytes.fromhex(value["head"]).decode("latin-1")
