"""Does a payload match its JSON schema? The common keywords, and no others.

Checked: `type`, `enum`, `const`, `required`, `properties`, `additionalProperties`, `items`,
`anyOf`, `oneOf` (as `anyOf`), `allOf` and `$ref` within the schema. Other keywords (formats,
patterns, bounds and so on) count as met: nothing is called a mismatch that might be none. Nor is
what was recorded in the place of a value: the agent's own may have matched; nor a mock, which is
what the program wanted there. The rest is checked.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from prefactor_trace._notes import PREFIX, SIZE, TRUNCATED
from prefactor_trace._substitutes import holds_substitute, is_mock, lacks_keys, read_cut, stands_for

MAX_MISMATCHES = 20
_OTHER_TYPE = "is not of type "
_MAX_REFERENCES = 16  # a schema may refer to itself without ever getting deeper into the value
_MAX_SURE_STEPS = 2_000
_MAX_STEPS = 20_000  # and may branch at each of them; past this the rest counts as met
_LONGEST_VALUE, _LONGEST_VALUES = 60, 120  # characters of what a message lists

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int, float),
}
# JSON types that the values of a class surely have.
_SURE_TYPES: dict[type, frozenset[str]] = {
    dict: frozenset({"object"}),
    list: frozenset({"array"}),
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    type(None): frozenset({"null"}),
}
# Keywords that `_Sure` has no answer to.
_INVOLVED = frozenset({"$ref", "const", "allOf", "oneOf", "patternProperties"})


def mismatches(schema: Any, value: Any, at: str) -> list[dict[str, str]]:
    """Return where a value differs from a JSON schema, at most `MAX_MISMATCHES` places.

    Args:
        schema: The schema; what is no schema matches everything.
        value: The value, as JSON is read.
        at: How the value is called in the answer, for example ``"payload"``.
    """
    found: list[dict[str, str]] = []
    try:
        if _Sure().matches(schema, value):
            return found
    except RecursionError:
        pass  # then at length
    try:
        for path, message in _Check(schema).run(schema, value, at, 0):
            found.append({"field": path, "message": message})
            if len(found) == MAX_MISMATCHES:
                break
    except RecursionError:
        pass  # a deep value in a schema that nests too: what was found so far stands
    return found


class _Sure:
    """Whether a match is plain to see, as it nearly always is: to see it takes a third."""

    def __init__(self) -> None:
        self._steps = 0

    def matches(self, schema: Any, value: Any) -> bool:
        """Return whether a value surely matches a schema; it may match all the same."""
        self._steps += 1
        if not isinstance(schema, dict):
            return schema is not False
        if self._steps > _MAX_SURE_STEPS or not _INVOLVED.isdisjoint(schema):
            return False
        wanted = schema.get("type")
        if wanted is not None and not (
            isinstance(wanted, str) and wanted in _SURE_TYPES.get(type(value), ())
        ):
            return False
        if "enum" in schema and not (isinstance(value, str) and value in _as_list(schema["enum"])):
            return False
        choices = schema.get("anyOf")
        if choices and not any(self.matches(choice, value) for choice in _as_list(choices)):
            return False
        if type(value) is dict:
            return self._object_matches(schema, value)
        if type(value) is list and "items" in schema:
            return all(self.matches(schema["items"], item) for item in value)
        return True

    def _object_matches(self, schema: dict[str, Any], value: dict[str, Any]) -> bool:
        properties = schema.get("properties", {})
        if not isinstance(properties, dict) or any(
            isinstance(name, str) and name not in value for name in _as_list(schema.get("required"))
        ):
            return False
        others = schema.get("additionalProperties")
        if others is None and not properties:
            return True
        return all(self.matches(properties.get(name, others), item) for name, item in value.items())


class _Check:
    """One value against one schema, which `$ref` is looked up in."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.steps = 0

    def run(self, schema: Any, value: Any, at: str, references: int) -> Iterator[tuple[str, str]]:
        if schema is False:
            yield at, "is not allowed"
        self.steps += 1
        if not isinstance(schema, dict) or self.steps > _MAX_STEPS or is_mock(value):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str) and references < _MAX_REFERENCES:
            yield from self.run(self._resolve(reference), value, at, references + 1)
        # What stands in the place of a value is looked for only where there is a mismatch, or a
        # mark: most values need no such look.
        if not _is_type(schema.get("type"), value):
            if not stands_for(value, _names(schema["type"])):
                yield at, f"{_OTHER_TYPE}{_list(schema['type'])}"
            return
        yield from _values(schema, value, at)
        yield from self._choices(schema, value, at, references)
        if isinstance(value, dict):
            yield from self._object(schema, value, at)
        elif isinstance(value, list) and "items" in schema:
            cut = read_cut(value)
            for index, item in enumerate(value if cut is None else cut.kept):
                place = index if cut is None or index < cut.gap else index + cut.missing
                yield from self.run(schema["items"], item, f"{at}[{place}]", 0)

    def _choices(
        self, schema: dict[str, Any], value: Any, at: str, references: int
    ) -> Iterator[tuple[str, str]]:
        for part in _as_list(schema.get("allOf")):
            yield from self.run(part, value, at, references + 1)
        for keyword in ("anyOf", "oneOf"):
            choices = _as_list(schema.get(keyword))
            if references >= _MAX_REFERENCES or not choices:
                continue
            found = []
            for choice in choices:
                wrong = list(islice(self.run(choice, value, at, references + 1), MAX_MISMATCHES))
                if not wrong:
                    break
                found.append(wrong)
            else:
                yield from _none_of(found, at, keyword)

    def _object(
        self, schema: dict[str, Any], value: dict[str, Any], at: str
    ) -> Iterator[tuple[str, str]]:
        if TRUNCATED in value and (cut := read_cut(value)) and not isinstance(cut.kept, dict):
            return
        for name in _as_list(schema.get("required")):
            if isinstance(name, str) and name not in value and not lacks_keys(value):
                yield f"{at}.{name}", "is required"
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        # Names that a pattern may allow are not judged, since patterns are not read.
        others = True if "patternProperties" in schema else schema.get("additionalProperties")
        if TRUNCATED in value and SIZE not in value:  # names of notes may be among these
            others = True
        for name, item in value.items():
            if name in properties:
                yield from self.run(properties[name], item, f"{at}.{name}", 0)
            elif not name.startswith(PREFIX):
                yield from self.run(others, item, f"{at}.{name}", 0)

    def _resolve(self, reference: str) -> Any:
        """Return what a reference points to, `None` (matches everything) when that is not here."""
        if not reference.startswith("#"):
            return None
        target = self.root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or name not in target:
                return None
            target = target[name]
        return target


def _none_of(
    found: list[list[tuple[str, str]]], at: str, keyword: str
) -> Iterator[tuple[str, str]]:
    """Yield why a value matches none of several choices, each of which has its own reasons.

    Those of another type say little: where one choice is left, its reasons are what is wrong, as of
    an annotation `Order | None`.
    """
    types, near = [], []
    for wrong in found:
        path, message = wrong[0]
        if path == at and message.startswith(_OTHER_TYPE):
            types.append(message.removeprefix(_OTHER_TYPE))
        else:
            near.append(wrong)
    if len(near) == 1:
        yield from near[0]
    elif near:
        yield at, f"matches none of {keyword}"
    else:
        yield at, f"{_OTHER_TYPE}{_list(list(dict.fromkeys(types)))}"


def _values(schema: dict[str, Any], value: Any, at: str) -> Iterator[tuple[str, str]]:
    choices = schema.get("enum")
    no_choice = isinstance(choices, list) and not any(_same(choice, value) for choice in choices)
    other = "const" in schema and not _same(schema["const"], value)
    if not (no_choice or other) or holds_substitute(value):
        return
    if no_choice:
        yield at, f"is none of the allowed values {_written(schema['enum'])}"
    if other:
        yield at, f"is not the one allowed value {_written([schema['const']])}"


def _written(values: list[Any]) -> str:
    """Return values as JSON has them: those that have room, and how many others there are."""
    texts: list[str] = []
    for value in values:
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > _LONGEST_VALUE:
            text = f"{text[: _LONGEST_VALUE - 1]}…"
        if texts and sum(map(len, texts)) + len(text) > _LONGEST_VALUES:
            return f"{', '.join(texts)} and {len(values) - len(texts)} others"
        texts.append(text)
    return ", ".join(texts) or "(there are none)"


def _same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal; unlike Python, JSON tells `true` from `1`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _is_type(wanted: Any, value: Any) -> bool:
    names = _names(wanted)
    # A word that is no type of JSON schema says nothing about the value.
    if not all(isinstance(name, str) and name in _TYPES for name in names):
        return True
    return any(_is_one_type(name, value) for name in names)


def _is_one_type(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _names(types: Any) -> list[Any]:
    return types if isinstance(types, list) else [types]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list(types: Any) -> str:
    return " or ".join(types) if isinstance(types, list) else str(types)
