"""No planted secret is recorded, and no innocent value is touched."""

import json

import pytest
from innocent import INNOCENT
from planted import KNOWN, NON_ASCII, PLANTED, Planted

from prefactor_trace._capture.redaction import Redactor
from prefactor_trace._notes import MARKER

SHOWN_AT_MOST = 5
"""Characters of a secret in a row that may be met by chance."""


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """A redactor that knows what the corpus registers."""
    made = Redactor(environ={})
    for value in (KNOWN, NON_ASCII, "98127364551"):
        assert made.register(value)
    return made


def leaks(secret: str, text: str) -> list[str]:
    """Return the pieces of a secret that a text shows."""
    length = min(len(secret), SHOWN_AT_MOST + 1)
    pieces = (secret[at : at + length] for at in range(len(secret) - length + 1))
    return [piece for piece in pieces if piece in text]


def test_the_corpus_is_large_enough() -> None:
    """There are many of both, and no two innocent values are the same."""
    assert len(PLANTED) >= 60
    assert len({json.dumps(value) for value in INNOCENT}) == len(INNOCENT) >= 300


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.where)
def test_no_planted_secret_shows(redactor: Redactor, planted: Planted) -> None:
    """Neither as it is nor as JSON writes it, and what is left does not change again."""
    before = json.dumps(planted.payload)
    result, count = redactor.redact(planted.payload)
    assert json.dumps(planted.payload) == before
    assert count >= 1
    texts = [json.dumps(result), json.dumps(result, ensure_ascii=False)]
    for secret in planted.secrets:
        for text in texts:
            assert not leaks(secret, text), text
    assert MARKER in texts[0]
    assert redactor.redact(result) == (result, 0)


@pytest.mark.parametrize("value", INNOCENT, ids=lambda value: json.dumps(value)[:60])
def test_no_innocent_value_is_touched(redactor: Redactor, value: object) -> None:
    """Whether it stands alone, in a list, or in text."""
    payload = value if type(value) is dict else {"value": value, "values": [value]}
    assert redactor.redact(payload) == (payload, 0)
    text = value if type(value) is str else json.dumps(value)
    assert redactor.redact_text(text) == text
