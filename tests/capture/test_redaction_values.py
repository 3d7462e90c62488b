"""Known values are found in each form that they travel in."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefactor_trace._capture import redaction_values
from prefactor_trace._capture.redaction_keys import SecretNames
from prefactor_trace._capture.redaction_values import KnownSecrets, environment_secrets, forms_of
from prefactor_trace._notes import MARKER


@pytest.fixture
def known() -> KnownSecrets:
    """One value of each length."""
    made = KnownSecrets()
    assert made.add("a-known-value")
    assert made.add("pin4")
    return made


@settings(deadline=None)
@given(st.text(min_size=8, max_size=40), st.text(max_size=9), st.text(max_size=9))
def test_found_at_every_place(value: str, before: str, after: str) -> None:
    """Whatever its characters, and however far into the text it stands."""
    known = KnownSecrets()
    assert known.add(value) is (value not in MARKER)
    text, count = known.hide(before + value + after)
    assert count >= 1 or value in MARKER
    assert value not in text.replace(MARKER, "\uffff") or value in MARKER


@settings(deadline=None)
@given(st.binary(max_size=9), st.binary(max_size=9))
def test_found_within_base64(before: bytes, after: bytes) -> None:
    """Wherever it stands in what was encoded, not six characters in a row are left."""
    known = KnownSecrets()
    known.add("a-known-value")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(bytes(len(before) % 3) + b"a-known-value").decode()[4:-4]
        text, count = known.hide(encode(before + b"a-known-value" + after).decode())
        assert count == 1
        assert not any(alone[at : at + 6] in text for at in range(len(alone) - 5))


def test_forms_are_long_enough_to_be_looked_up() -> None:
    """A shorter form would be found by chance."""
    assert all(len(form) >= 8 for form in forms_of("a+b/c=d e"))
    assert {"a+b/c=d e", "a%2Bb%2Fc%3Dd%20e", "a%2bb%2fc%3dd+e"} <= forms_of("a+b/c=d e")
    assert json.dumps('q"\n\\uote')[1:-1] in forms_of('q"\n\\uote')


def test_longest_form_first() -> None:
    """A value that begins like another leaves nothing of it."""
    known = KnownSecrets()
    known.add("long-value")
    known.add("long-value-and-more")
    assert known.hide("x long-value-and-more, long-value") == (f"x {MARKER}, {MARKER}", 2)


def test_short_values_are_hidden_as_words(known: KnownSecrets) -> None:
    """Within a longer word they are met by chance."""
    assert known.hide("pin4 pin42 (pin4)") == (f"{MARKER} pin42 ({MARKER})", 2)


def test_forgets_the_oldest_short_value_beyond_its_bound(
    known: KnownSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them costs time in every text."""
    monkeypatch.setattr(redaction_values, "_MAX_SHORT", 2)
    for value in ("pin5", "pin6"):
        known.add(value)
    assert known.hide("pin4 pin5 pin6") == (f"pin4 {MARKER} {MARKER}", 2)


@pytest.mark.parametrize("value", ["", "abc", " " * 9, "redacted", "[redacted]"])
def test_refuses_what_is_in_every_text(known: KnownSecrets, value: str) -> None:
    """Too short a value, one of spaces, and the marker itself, stay visible."""
    assert not known.add(value)
    assert known.hide(f"x {value} y") == (f"x {value} y", 0)


def test_beginnings_are_found_in_what_was_cut(known: KnownSecrets) -> None:
    """The rest of the value was left out."""
    assert known.begins_in("xx a-known-")
    assert not known.begins_in("xx a-knowl")


def test_forgets_the_oldest_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes a token a request does not grow without end."""
    monkeypatch.setattr(redaction_values, "_MAX_VALUES", 2)
    known = KnownSecrets()
    for value in ("first-of-them", "first-and-second", "third-of-them"):
        known.add(value)
    assert known.hide("first-of-them, first-and-second, third-of-them") == (
        f"first-of-them, {MARKER}, {MARKER}",
        2,
    )
    for value in ("fourth-one", "fifth-one"):
        known.add(value)
    assert len(known._forms) == 2
    assert set(known._pieces) == {
        piece
        for value in ("fourth-one", "fifth-one")
        for form in forms_of(value)
        for piece in (form[at : at + 5] for at in range(4))
    }


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("OPENAI_API_KEY", "opaque-value-1", ["opaque-value-1"]),
        ("GITHUB_TOKEN", "0123456789abcdef", ["0123456789abcdef"]),
        ("STRIPE_KEY", "0123456789abcdefXY", ["0123456789abcdefXY"]),
        ("DB_PASSWORD", "two words 99", ["two words 99"]),
        ("DATABASE_URL", "postgres://u:p%40ssw0rd-1@h/d", ["p%40ssw0rd-1", "p@ssw0rd-1"]),
        ("DB_PASSWORD", "postgres", []),
        ("DB_PASSWORD", "short1", []),
        ("DB_PASSWORD", "12345678", []),
        ("API_KEY_FILE", "opaque-value-1", []),
        ("SORT_KEY", "created_at", []),
        ("PUBLIC_KEY", "0123456789abcdefXY", []),
        ("SECRET_DIR", "opaque-value-1", []),
        ("GOOGLE_APPLICATION_CREDENTIALS", __file__, []),
        ("AUTHOR", "opaque-value-1", []),
        ("API_URL", "https://example.com:8080/a@b", []),
        ("APP_SECRET", "https://example.com/page", []),
        ("MAX_TOKENS", "123456789012", []),
    ],
)
def test_credentials_of_the_environment(name: str, value: str, found: list[str]) -> None:
    """By their names; not values that would be met in other texts, and no files or addresses."""
    assert sorted(environment_secrets({name: value}, SecretNames())) == sorted(found)


@settings(deadline=None)
@given(
    st.lists(st.text(min_size=8, max_size=12), max_size=3),
    st.lists(st.sampled_from(["a-known-value", "-known-val", "é", "x \ud800", "\t\r#&~ "])),
    st.integers(0, 3),
)
def test_a_filter_changes_nothing(values: list[str], parts: list[str], chosen: int) -> None:
    """Whatever the values are made of, and wherever they stand."""
    plain, filtered = KnownSecrets(), KnownSecrets()
    for value in (*values, "a-known-value", "surrogate \ud800", "\t\r#&~ []{}()<>|^$.*+?"):
        plain.add(value)
        filtered.add(value)
    filtered.hide(" " * 1_000_000)
    assert filtered._filter is not None
    text = "".join([*parts, *values[:chosen], *parts])
    assert filtered.hide(text) == plain.hide(text)
    assert plain._filter is None


def test_values_come_through_a_filter_that_was_made_before() -> None:
    """It is made anew when a text is worth it, and not for too many values."""
    known = KnownSecrets()
    known.add("first-of-them")
    known.hide("x" * 100_000)
    assert known._filter is not None
    known.add("second-of-them")
    assert known.hide("a second-of-them") == (f"a {MARKER}", 1)
    assert known._filter is None
    for number in range(500):
        known.add(f"{number}-{number}-value-of-many")
    known.hide("x" * 1_000_000)
    assert known._filter is None


def test_forms_of_json_and_html() -> None:
    """As other languages write them, and where no quotes have to be escaped."""
    forms = forms_of("a/b<c>&\"d'")
    assert json.dumps("a/b<c>&\"d'")[1:-1].replace("/", "\\/") in forms
    assert {
        "a/b&lt;c&gt;&amp;&quot;d&#x27;",
        "a/b&lt;c&gt;&amp;\"d'",
        "a/b&lt;c&gt;&amp;&#34;d&#39;",
    } <= forms
