"""Tokens of a step, in the words of the libraries that count them."""

from typing import Any

import pytest

from prefactor_trace.server._tokens import Tokens, tokens_of


@pytest.mark.parametrize(
    ("result", "tokens"),
    [
        (None, None),
        ({}, None),
        ({"text": "hi"}, None),
        ({"tokens": 42}, Tokens(None, None, 42)),
        ({"tokens": True}, None),
        ({"tokens": -1}, None),
        ({"tokens": "42"}, None),
        ({"usage": {"input_tokens": 10, "output_tokens": 5}}, Tokens(10, 5, 15)),
        (
            {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 20}},
            Tokens(10, 5, 20),
        ),
        ({"tokens": {"input_tokens": 3}}, Tokens(3, None, 3)),
        (
            {"usage_metadata": {"prompt_token_count": 1, "candidates_token_count": 2}},
            Tokens(1, 2, 3),
        ),
        ({"result": {"usage": {"inputTokens": 1, "outputTokens": 2}}}, Tokens(1, 2, 3)),
        ({"result": {"response": {"usage": {"tokens": 9}}}}, None),
        ({"usage": [1, 2]}, None),
        ({"usage": {"total_tokens": 0}}, Tokens(None, None, 0)),
    ],
)
def test_tokens_are_found(result: dict[str, Any] | None, tokens: Tokens | None) -> None:
    """Numbers are found under each usual name, at the top or a little inside; no other value is."""
    assert tokens_of(result) == tokens


def test_sums_keep_what_is_known() -> None:
    """A step that does not tell input from output adds to the total alone."""
    assert Tokens(1, 2, 3).plus(Tokens(None, None, 4)) == Tokens(1, 2, 7)
    assert Tokens(None, None, 4).plus(Tokens(1, 2, 3)) == Tokens(1, 2, 7)
    assert Tokens(None, None, 4).plus(Tokens(None, None, 4)) == Tokens(None, None, 8)
