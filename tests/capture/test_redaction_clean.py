"""What was looked through before is told from what needs a walk."""

from typing import Any

import pytest

from prefactor_trace._capture.redaction_clean import CleanTexts
from prefactor_trace._capture.redaction_values import KnownSecrets


@pytest.fixture
def clean() -> CleanTexts:
    """A memory of a few keys and a text."""
    made = CleanTexts(KnownSecrets())
    for key in ("model", "messages", "k", "type", "length", "value", "values", "Value", "head"):
        made.keep_harmless(key)
    made.keep("known text")
    return made


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"model": "known text", "k": 5, "type": None, "length": 1.5, "messages": True},
        {"messages": [{"model": "known text"}, {}, "known text", 3, None]},
        {"messages": {"model": {"k": []}}},
        {"model": "new text"},
    ],
)
def test_covers_what_is_plain(clean: CleanTexts, payload: dict[str, Any]) -> None:
    """Harmless keys, known texts, small numbers, and mappings and lists of them."""
    assert clean.covers(payload, lambda text: text == "new text")


@pytest.mark.parametrize(
    "payload",
    [
        {"other": 1},
        {"model": "secret"},
        {"model": "new text" * 1_000},
        {"k": 10_000_000},
        {"k": -10_000_000},
        {"model": "known text", "value": 1},
        {"values": 1},
        {"Value": 1},
        {"type": "bytes", "length": 3, "head": "ffd8"},
        {"messages": ["--password", "known text"]},
        {"messages": [["known text", "known text"]]},
        {"messages": [{"other": 1}]},
    ],
)
def test_leaves_the_rest_to_a_walk(clean: CleanTexts, payload: dict[str, Any]) -> None:
    """Other keys and texts, and all that says something of what stands beside it."""
    for text in ("--password", "ffd8", "bytes"):
        clean.keep(text)
    assert not clean.covers(payload, lambda text: text.startswith("new text"))


def test_leaves_deep_values_to_a_walk(clean: CleanTexts) -> None:
    """Which knows how to end."""
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"k": deep}
    assert not clean.covers(deep, lambda _: True)


def test_keeps_so_many_keys(clean: CleanTexts) -> None:
    """Keys that are made up for each payload do not fill the memory."""
    for number in range(20_000):
        clean.keep_harmless(str(number))
    assert len(clean.harmless) <= 8_192


def test_knows_a_long_text_again(clean: CleanTexts) -> None:
    """The same object, such as the instructions of an agent; another like it is looked at anew."""
    text = "instructions " * 1_000
    assert not clean.covers({"model": text}, lambda _: False)
    clean.keep(text)
    assert clean.covers({"model": text, "messages": [text]}, lambda _: False)
    assert clean.knows(text)
    assert not clean.knows("instructions " * len([1] * 1_000))


def test_forgets_long_texts_when_a_secret_becomes_known() -> None:
    """It may be in one of them."""
    known = KnownSecrets()
    clean = CleanTexts(known)
    text = "a password that nobody knows: hunter2-hunter2 " * 10
    clean.keep(text)
    known.add("hunter2-hunter2")
    clean.renew()
    assert not clean.knows(text)


def test_keeps_so_many_characters(clean: CleanTexts) -> None:
    """Long texts that come once each do not fill the memory, and none is as long as that."""
    kept = [f"{number:04} " + "x" * 100_000 for number in range(50)]
    for text in kept:
        clean.keep(text)
    assert 1 <= sum(map(clean.knows, kept)) <= 10
    assert clean.knows(kept[-1])
    clean.keep(longer := "x" * 2_000_000)
    assert not clean.knows(longer)
