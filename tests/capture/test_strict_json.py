"""Plain JSON, written for strict readers."""

import json
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_json import plain

from prefactor_trace._capture import to_json
from prefactor_trace._capture.strict_json import _core


@pytest.mark.parametrize(
    ("text", "written"),
    [("a\ud800b", "a?b"), ("a\0b", "a\N{REPLACEMENT CHARACTER}b"), ("é", "é"), ("\U0001f600",) * 2],
)
def test_text_is_what_strict_readers_take(text: str, written: str):
    """Lone surrogates and NUL are replaced, as key, as value and deep inside; the rest stays."""
    assert json.loads(to_json({text: [{"a": text}]})) == {written: [{"a": written}]}


def test_numbers_that_json_has_not_are_null():
    """The snapshot names them; whatever still comes here is at least no lie."""
    assert to_json([float("nan"), float("inf"), 1.5]) == b"[null,null,1.5]"


def test_what_pydantic_writes_for_any_schema_is_what_it_writes_for_none():
    """To the letter, for all plain JSON, also numbers of any size; with the same error."""

    @given(plain | st.integers() | st.integers(1 << 62, 1 << 200))
    def same(value: Any):
        write, error = _core()
        try:
            expected = pydantic_core.to_json(value, inf_nan_mode="null")
        except error:
            with pytest.raises(error):
                write(value)
        else:
            assert write(value) == expected

    same()


def test_an_old_pydantic_writes_strict_json_too(monkeypatch: pytest.MonkeyPatch):
    """Before 2.7 it has no null for what JSON has no number for."""
    serializer = pydantic_core.SchemaSerializer
    monkeypatch.setattr(
        pydantic_core, "SchemaSerializer", lambda schema, config: serializer(schema)
    )
    write, _ = _core.__wrapped__()
    value = {"a": [float("nan"), float("-inf"), 1.5, 2], "b": {"c": float("inf")}, "d": "x"}
    assert write(value) == b'{"a":[null,null,1.5,2],"b":{"c":null},"d":"x"}'
