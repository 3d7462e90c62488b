"""Values that are told to be secret."""

import base64
import json
import urllib.parse

import pytest

from prefactor_trace._capture.redaction_values import KnownSecrets
from prefactor_trace._capture.secret import note_secret, register_secret
from prefactor_trace.exceptions import UsageError

SECRET = "plain wörd / of ours"


@pytest.fixture(autouse=True)
def _forget_secrets(monkeypatch):
    """Give each test a process that knows of no secret."""
    known = KnownSecrets()
    monkeypatch.setattr("prefactor_trace._capture.redaction_values.process_secrets", known)
    monkeypatch.setattr("prefactor_trace._capture.redaction.process_secrets", known)


def sent(tracer, text: str) -> str:
    """Return what is sent of a span with that text in it."""
    t = tracer()
    with t.instance(), t.span("step", {"note": text}):
        pass
    return json.dumps(t.one()["payload"], ensure_ascii=False)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_form(tracer, form):
    """Within longer text too; before it was told, it was not hidden."""
    assert form in sent(tracer, f"they said {form}, twice")
    register_secret(SECRET)
    hidden = sent(tracer, f"they said {form}, twice")
    assert form not in hidden
    assert "they said" in hidden


def test_a_secret_holds_for_tracers_that_were_there_before(tracer):
    """It is told once for the whole process."""
    t = tracer()
    with t.instance():
        register_secret(SECRET)
        with t.span("step", {"note": SECRET}):
            pass
    assert SECRET not in json.dumps(t.one()["payload"], ensure_ascii=False)


@pytest.mark.parametrize("value", ["abc", "", None, b"bytes of it", 123456])
def test_what_cannot_be_hidden_is_refused(value):
    """With what would be right."""
    with pytest.raises(UsageError, match="text of at least four characters"):
        register_secret(value)


def test_a_secret_that_was_seen_is_noted_without_a_word(tracer):
    """The answer says whether it can be hidden."""
    assert note_secret("abc") is False
    assert note_secret(SECRET) is True
    assert SECRET not in sent(tracer, SECRET)
