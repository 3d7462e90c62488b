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
