"""A filter rules out most texts without a pattern, and none that has it."""

from hypothesis import example, given
from hypothesis import strategies as st

from prefactor_trace._capture.redaction_filter import Filter, is_unicode

WORD = Filter("(?i:needle)", reach=6)


@given(st.text(), st.sampled_from(["needle", "NEEDLE", "needl", ""]), st.text())
def test_never_rules_out_what_is_there(before: str, word: str, after: str) -> None:
    """Wherever it stands; other texts are ruled out."""
    text = before + word + after
    assert WORD.may_find(text) is ("needle" in text.lower())


def test_never_rules_out_what_it_cannot_search() -> None:
    """A lone surrogate anywhere keeps a text from being searched."""
    assert WORD.may_find("a needle and \ud800")
    assert WORD.may_find("\ud800")
    assert not WORD.may_find("é")
    assert is_unicode("é\U0001f600")
    assert not is_unicode("\ud800")


def test_a_pattern_that_is_too_large_rules_nothing_out() -> None:
    """Every text is searched then."""
    assert Filter("(?:[a-z]{1000}){1000}").may_find("x")


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.sampled_from(["x", "é", "\ud800"]))
@example(1_023, 0, "x")
@example(1_024, 1_024, "x")
def test_regions_hold_each_beginning(before: int, after: int, letter: str) -> None:
    """They are in order, and what begins in none of them is not there."""
    text = letter * before + "needle" + letter * after
    regions = list(WORD.regions(text))
    assert regions == sorted(regions)
    assert sum(first <= before < last for first, last in regions) == 1
    if letter != "\ud800":
        assert len(regions) <= 2
        assert list(WORD.regions(text.replace("d", "t"))) == []
