"""Single values: numbers as JSON can hold them, and objects of known classes as text."""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Callable
from typing import Any

MAX_INT = 1 << 63
"""Beyond it, readers of JSON in other languages lose digits."""

# Digits take quadratic time, here on the agent's thread: of these 309 some 3 µs. Python never
# refuses that many, whatever `sys.set_int_max_str_digits` says.
_MAX_DECIMAL_BITS = 1024
_MAX_HEX_BITS = 4096


def _plain_datetime(value: datetime.datetime) -> str:
    """Return a moment in ISO 8601; what pandas has for none would read as one long ago."""
    if value is getattr(sys.modules.get("pandas"), "NaT", None):
        return "NaT"
    return datetime.datetime.isoformat(value)


# How their text is made, by the method of the known class: a subclass may have another.
_TEXTUAL: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, lambda value: plain_int(int.__int__(value))),
    (float, lambda value: plain_float(float.__float__(value))),
    (datetime.datetime, _plain_datetime),
    (datetime.date, datetime.date.isoformat),
    (datetime.time, datetime.time.isoformat),
    (datetime.timedelta, datetime.timedelta.total_seconds),
    (complex, complex.__repr__),
    (range, range.__repr__),
)
# The same for classes that exist only if somebody has loaded their module.
_TEXTUAL_IF_LOADED = (("uuid", "UUID"), ("decimal", "Decimal"), ("pathlib", "PurePath"))


def textual(value: Any, kind: type) -> str | float | None:
    """Return an object of a known class, or of a subclass of one, as text or number."""
    for known, read in _TEXTUAL:
        if issubclass(kind, known):
            plain: str | float = read(value)
            return plain
    for module, name in _TEXTUAL_IF_LOADED:
        loaded: Any = getattr(sys.modules.get(module), name, None)
        if loaded is not None and issubclass(kind, loaded):
            return str(loaded.__str__(value))
    return None


def plain_int(value: int) -> int | str:
    """Return an integer, as text where it is too large."""
    if -MAX_INT <= value < MAX_INT:
        return value
    bits = value.bit_length()
    if bits <= _MAX_DECIMAL_BITS:
        return str(value)
    return hex(value) if bits <= _MAX_HEX_BITS else f"int of {bits} bits"


def plain_float(value: float) -> float | str:
    """Return a float, as text where JSON has none such."""
    return value if math.isfinite(value) else str(value)
