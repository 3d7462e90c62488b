"""A word that is not known, and what may have been meant."""

from prefactor_trace._nearest import hint


def test_the_nearest_word_is_named():
    """Or all of them, where none is near."""
    assert hint("tokn", ["token", "agent"]) == "; did you mean 'token'?"
    assert hint("zzz", {"b": 1, "a": 2}) == "; known are a, b"
    assert hint("a", []) == "; known are none"
