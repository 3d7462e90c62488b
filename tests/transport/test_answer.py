"""Answers."""

from prefactor_trace._transport import Answer


def test_answer_without_more_is_empty():
    """Only the status has to be given."""
    assert Answer(204) == (204, b"", None, "")
