"""Plain JSON, written so that any strict reader takes it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from prefactor_trace._substitutes import Json

_BACKSLASH = ord("\\")


def to_json(value: Json) -> bytes:
    """Return plain JSON as UTF-8 that any strict reader takes: no NaN, surrogate or NUL."""
    write, PydanticSerializationError = _core()  # noqa: N806
    try:
        data = write(value)
    except PydanticSerializationError:  # a lone surrogate
        return write(_clean(value))
    # To look for one byte first takes a fifth of looking for several, and those from the end on a
    # quarter of looking from the beginning.
    if _BACKSLASH in data and data.rfind(b"\\u0000") >= 0:
        return write(_clean(value))
    return data


@functools.cache
def _core() -> tuple[Callable[[Json], bytes], type[Exception]]:
    # Loaded with the first payload, not with the library; asked each time, it takes 0.4 us.
    from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema

    # A sixth faster than `pydantic_core.to_json`, which pydantic 2.5 and 2.6 have without the mode.
    write = SchemaSerializer(
        core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="null")
    ).to_json
    if write(math.inf) != b"null":  # pydantic before 2.7
        return lambda value: write(_finite(value)), PydanticSerializationError
    return write, PydanticSerializationError


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return (
            value.encode("utf-8", "replace")
            .decode("utf-8")
            .replace("\0", "\N{REPLACEMENT CHARACTER}")
        )
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
