"""The values in a tree's text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace.testing.written import Values


def read(text: str):
    """Return the value that a text is."""
    return Values(text, 1, text).value(0)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_every_json_value_is_read(value):
    """As it was written, with and without escapes."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert read(text) == (value, len(text))


def test_keys_need_no_quotes():
    """In any script; texts may stand in single quotes, and any character may be escaped."""
    assert read("{ü: 'it\\'s', a-b.c: \"\\d\"}")[0] == {"ü": "it's", "a-b.c": "d"}
