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


def conversation(count: int) -> list[dict[str, Any]]:
    """Return messages that are equal, and not the same, each time."""
    return [{"model": f"message {n} " + "text " * 20, "k": n} for n in range(count)]


def test_of_a_conversation_only_what_is_new_is_looked_through(clean: CleanTexts) -> None:
    """What was said before is compared, whichever copy of it comes."""
    looked: list[str] = []

    def look(text: str) -> bool:
        looked.append(text)
        return True

    assert clean.covers(conversation(20), look)
    assert len(looked) == 20
    assert clean.covers(conversation(22), look)
    assert [text.split()[1] for text in looked[20:]] == ["20", "21"]
    changed = conversation(22)
    changed[3]["model"] = "another " + "text " * 20
    assert clean.covers(changed, look)
    assert any(text.startswith("another") for text in looked[22:])
    secret = conversation(22)
    secret[5]["secret"] = "hunter2"
    assert not clean.covers(secret, look)
    assert not clean.covers([*conversation(20), {"secret": "hunter2"}], look)


def test_a_number_is_not_taken_for_one_that_equals_it(clean: CleanTexts) -> None:
    """A known value may be an integer, and is looked for in these alone."""
    rows = conversation(20)
    assert not clean.covers([*rows, {"k": 12345678.0}], lambda _: True)
    assert not clean.covers([*rows, {"k": 12345678}], lambda _: True)


def test_forgets_conversations_with_their_texts() -> None:
    """When a secret becomes known, and when there are too many characters; a few are kept."""
    clean = CleanTexts(KnownSecrets(), limit=1_000)
    for key in ("model", "k"):
        clean.keep_harmless(key)
    clean.covers(conversation(20), lambda _: True)
    assert len(clean._conversations) == 1
    clean.keep("x" * 999_999)
    assert not clean._conversations
    huge = [*conversation(20), {"model": "y" * 2_000_000}]
    assert clean.covers(huge, lambda _: True)
    assert not clean._conversations
    for count in range(20, 40):
        clean.covers(conversation(count), lambda _: True)
    assert [len(one) for one in clean._conversations] == [39]
    for first in range(20):
        clean.covers(conversation(40)[first:], lambda _: True)
    assert len(clean._conversations) == 4
    clean._known.add("a secret that becomes known")
    clean.renew()
    assert not clean._conversations


def test_conversations_hold_no_more_texts_than_are_counted() -> None:
    """Though their texts are other objects in each call, or are forgotten in the midst of one."""
    clean = CleanTexts(KnownSecrets(), limit=1_000)
    clean.keep_harmless("model")
    for count in (8, 10, 200, 240, 241, 300, 400, 401):
        messages = [{"model": f"{n} " + "word " * 790} for n in range(count)]
        assert clean.covers(messages, lambda _: True)
        held = {
            id(one["model"]): len(one["model"]) for kept in clean._conversations for one in kept
        }
        assert sum(held.values()) <= 1_000_000
