"""JSON in and out: bodies are read strictly, and written in one compact spelling."""

import json
import math
import re
from typing import Any, NoReturn

from pydantic_core import SchemaSerializer, core_schema

from prefactor_trace.server._refusal import malformed

MAX_DEPTH = 128
"""Levels of nesting that a body may have."""

# What these escapes stand for is found by looking at the parsed text, since `\\u0000` in JSON is
# a backslash followed by harmless characters.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_NESTED = frozenset((dict, list))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
# A fifth of the time that the encoder of `json` takes to be set up for each value.
_to_json = SchemaSerializer(core_schema.any_schema()).to_json


def write(value: Any) -> str:
    """Return the compact spelling of a value."""
    return _to_json(value).decode()


def write_sorted(value: Any) -> bytes:
    """Return a spelling of a value that does not depend on the order of keys."""
    return _to_json(_sorted(value))


def _sorted(value: Any) -> Any:
    if type(value) is dict:
        return {
            key: _sorted(item) if type(item) in _NESTED else item
            for key, item in sorted(value.items())
        }
    return [_sorted(item) if type(item) in _NESTED else item for item in value]


def read(text: str | None) -> Any:
    """Return the value that a stored JSON text stands for, `None` for none."""
    return None if text is None else json.loads(text)


def read_body(body: bytes) -> dict[str, Any]:
    """Return the object that a request's body holds; an empty body is an empty object.

    Raises:
        Refusal: The body is not one JSON object in UTF-8, or holds what cannot be stored.
    """
    if not body.strip():
        return {}
    try:
        value = _decoder.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise malformed(f"The body must be UTF-8; byte {error.start} is not") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise malformed(f"The body must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise malformed("The body must be a JSON object")
    _check_depth(value)
    if _SUSPECT_ESCAPE.search(body):
        _check_text(value)
    return value


def _too_deep() -> Exception:
    return malformed(f"The body is nested too deeply; {MAX_DEPTH} levels are allowed")


def _check_depth(value: dict[str, Any]) -> None:
    # Level by level, not by recursion, which is what a deep body aims at.
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in _NESTED
        ]
        if not level:
            return
    raise _too_deep()


def _check_text(value: Any) -> None:
    """Refuse NUL and lone surrogates: they are legal escapes, but no text that can be stored."""
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            found = _FORBIDDEN.search(item)
            if found:
                kind = "NUL" if found.group() == "\x00" else "a lone surrogate"
                raise malformed(f"The body holds {kind}, which is not text")
        elif isinstance(item, dict):
            rest.extend(item)
            rest.extend(item.values())
        elif isinstance(item, list):
            rest.extend(item)
