"""Parts of a text are replaced by the marker, the rest is kept to the letter."""

import re

from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._capture.redaction_spans import replace_groups, replace_spans
from prefactor_trace._notes import MARKER


def test_replaces_each_span() -> None:
    """In order, and counts them."""
    assert replace_spans("0123456789", [(1, 3), (3, 4), (9, 10)]) == (
        f"0{MARKER}{MARKER}45678{MARKER}",
        3,
    )


def test_without_spans_the_text_is_the_same_object() -> None:
    """Nothing is copied."""
    text = "a text"
    assert replace_spans(text, [])[0] is text
    assert replace_groups(text, re.compile("(b)"), lambda name, value: True)[0] is text


def test_checks_see_name_and_value() -> None:
    """Only what a check agrees to is replaced, and only the value of it."""
    seen = []

    def check(name: str, value: str) -> bool:
        seen.append((name, value))
        return name == "b"

    pattern = re.compile(r"(\w)=(\w+)")
    assert replace_groups("a=one b=two", pattern, check) == (f"a=one b={MARKER}", 1)
    assert seen == [("a", "one"), ("b", "two")]


def test_what_is_hidden_is_not_hidden_again() -> None:
    """The marker itself is no secret."""
    pattern = re.compile(r"x=(\S+)")
    assert replace_groups(f"x={MARKER}", pattern, lambda name, value: True) == (f"x={MARKER}", 0)


@given(
    st.lists(
        st.sampled_from(
            ["basic", "BASIC", "ba\N{LATIN SMALL LETTER LONG S}ic", "bas\u0131c", "bas\u0130c", "=",
             "1", "x ", "\u212a", " "]
        ),
        max_size=12,
    ).map("".join)
)  # fmt: skip
def test_matches_that_begin_with_a_word(text: str) -> None:
    """They are found where a search of the whole text finds them, in any case."""
    pattern = re.compile(r"(?i)(?<!\w)basic=(\w+)")
    assert replace_groups(
        text, pattern, lambda name, value: True, "basic", text.lower()
    ) == replace_groups(text, pattern, lambda name, value: True)
