"""Makes JSON bodies of any model, for property tests."""

import types
import typing
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

from annotated_types import MaxLen, MinLen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pydantic import BaseModel

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests whose first example imports a library."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def bodies(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of JSON objects that `model` must take; optional fields come and go."""
    required, optional = {}, {}
    for name, info in model.model_fields.items():
        annotation = Annotated[(info.annotation, *info.metadata)] if info.metadata else None
        values = of(annotation or info.annotation)
        (required if info.is_required() else optional)[info.alias or name] = values
    return st.fixed_dictionaries(required, optional=optional)


def of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of JSON values of one type."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return bounded(parts[0], parts[1:])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(of, parts))
    if origin is list:
        return st.lists(of(parts[0]), max_size=3)
    if annotation is dict or origin is dict:
        return st.dictionaries(TEXT, of(parts[1]) if parts else JSON, max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bodies(annotation)
    return SIMPLE[annotation]


def bounded(annotation: Any, bounds: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Return a strategy of texts or lists whose length keeps to `bounds`."""
    least = max((bound.min_length for bound in bounds if isinstance(bound, MinLen)), default=0)
    most = min((bound.max_length for bound in bounds if isinstance(bound, MaxLen)), default=None)
    if annotation is str:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=most)
    return st.lists(of(typing.get_args(annotation)[0]), min_size=least, max_size=most or least + 3)


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: NUMBERS,
    bool: st.booleans(),
    datetime: st.datetimes(
        datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)
    ).map(datetime.isoformat),
    Any: JSON,
    type(None): st.none(),
}
