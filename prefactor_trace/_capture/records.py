"""Objects with fields: pydantic models, dataclasses and attrs objects."""

from __future__ import annotations

import dataclasses
import sys
import weakref
from collections.abc import Callable
from typing import Any

from prefactor_trace._capture.classes import attribute_of, stored_in
from prefactor_trace._capture.secret import read_stored

Fields = dict[str, Any]
Reader = Callable[[Any], Fields]

_MISSING = object()

# By the id of the class, which is its as long as it lives: to look for a class itself may run code
# of its metaclass.
_readers: dict[int, tuple[weakref.ref[type], Reader]] = {}


def known_reader(kind: type) -> Reader | None:
    """Return what reads the fields of a class that `reader_of` has found to have some."""
    known = _readers.get(id(kind))
    return known[1] if known is not None and known[0]() is kind else None


def reader_of(kind: type) -> Reader | None:
    """Return what reads the stored fields of an object of a class, ``None`` if it has none.

    It is found out once a class: that takes as long as reading them several times.
    """
    reader = _find_reader(kind)
    if reader is not None:
        key = id(kind)
        _readers[key] = (weakref.ref(kind, lambda _: _readers.pop(key, None)), reader)
    return reader


def _find_reader(kind: type) -> Reader | None:
    # A model can only exist if the module of its base was imported. `pydantic` itself is not asked:
    # it looks its names up when they are wanted, and another thread may be in the midst of it.
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    if model is not None and issubclass(kind, model):
        return _read_model
    if attribute_of(kind, "__dataclass_fields__") is not None:
        names = [field.name for field in dataclasses.fields(kind)]
    elif isinstance(attributes := stored_in(kind, "__attrs_attrs__"), tuple):
        names = [attribute.name for attribute in attributes]
    else:
        return None
    return lambda value: _read_stored(value, names)


def _read_model(value: Any) -> Fields:
    fields: Fields = object.__getattribute__(value, "__dict__").copy()
    extra = object.__getattribute__(value, "__pydantic_extra__")
    if extra:
        fields.update(extra)
    return fields


def _read_stored(value: Any, names: list[str]) -> Fields:
    try:
        held = object.__getattribute__(value, "__dict__")
        return {name: held[name] for name in names}
    except (AttributeError, KeyError):
        pass  # it has slots, or not all of its fields
    kind = type(value)
    found = {name: read_stored(value, kind, name, _MISSING) for name in names}
    return {name: item for name, item in found.items() if item is not _MISSING}
