"""Which entry stands for which: pairs are equal, rise, and everything is there once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace.server._align import align, matches

SHORT = st.text("abc", max_size=12)


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("", "", ""),
        ("abc", "abc", "aa bb cc"),
        ("abc", "ac", "aa b- cc"),
        ("ac", "abc", "aa -b cc"),
        ("axc", "ayc", "aa x- -y cc"),
        ("aaa", "aa", "aa aa a-"),
        ("ab", "", "a- b-"),
        ("xxtxxxu", "xxtxxu", "xx xx tt xx xx x- uu"),
    ],
)
def test_entries_are_paired_in_order(left: str, right: str, shown: str) -> None:
    """What was taken away stands before what was added at its place."""
    pairs = align(left, right)
    assert (
        " ".join(
            f"{'-' if one is None else left[one]}{'-' if other is None else right[other]}"
            for one, other in pairs
        )
        == shown
    )


@given(SHORT, SHORT)
def test_nothing_is_lost_or_crosses(left: str, right: str) -> None:
    """Each entry of both sides is there once, in its order, and pairs are equal."""
    pairs = align(left, right)
    assert [one for one, _ in pairs if one is not None] == list(range(len(left)))
    assert [other for _, other in pairs if other is not None] == list(range(len(right)))
    assert all(left[one] == right[other] for one, other in matches(left, right))


@given(SHORT, st.integers(0, 12), st.integers(0, 12))
def test_one_gap_leaves_all_the_rest_paired(text: str, at: int, length: int) -> None:
    """When one stretch was taken away, every other entry keeps its partner."""
    shorter = text[:at] + text[at + length :]
    assert len(matches(text, shorter)) == len(shorter)


def test_thousands_of_entries_are_no_matter() -> None:
    """All alike, all different, and reversed: the work grows as that of sorting does."""
    many = list(range(20_000))
    assert len(matches([0] * 20_000, [0] * 19_000)) == 19_000
    assert matches(many, [-1 - one for one in many]) == []
    assert len(matches(many, many[::-1])) == 1
