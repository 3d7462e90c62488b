"""What an answer means: for the request as a whole, and for each item."""

import email.utils
import json
import time

import pytest

from prefactor_trace._pipeline.item import Item
from prefactor_trace._pipeline.outcome import Verdict, read_answer, read_fault
from prefactor_trace._settings import load_settings
from prefactor_trace._transport import Answer

ITEMS = [Item(f"key-{n}", "agent_spans/create", None, b"{}", n) for n in range(3)]


def read(status, body=b"", **fields):
    """Read an answer with the settings as they are by default."""
    return read_answer(Answer(status, body, **fields), ITEMS, load_settings({}, {}))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0, Verdict.AGAIN),
        (301, Verdict.AGAIN),
        (400, Verdict.SPLIT),
        (401, Verdict.REFUSED),
        (403, Verdict.REFUSED),
        (404, Verdict.AGAIN),
        (413, Verdict.TOO_LARGE),
        (422, Verdict.SPLIT),
        (429, Verdict.AGAIN),
        (500, Verdict.AGAIN),
        (599, Verdict.AGAIN),
    ],
)
def test_verdict_follows_the_status(status, verdict):
    """Only what puts the blame on the request has it split; only a token is refused."""
    assert read(status).verdict is verdict


def test_outputs_of_items_that_were_sent_are_read():
    """Outputs that are none are left out."""
    outputs = {"key-0": {"status": "success"}, "key-1": "yes"}
    outcome = read(200, json.dumps({"outputs": outputs}).encode())
    assert outcome.verdict is Verdict.READ
    assert outcome.outputs == {"key-0": {"status": "success"}}


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"outputs":[]}', b'{"outputs":{}}'])
def test_answer_without_outputs_is_an_unknown_outcome(body):
    """What cannot be read has the request sent again."""
    assert read(200, body).verdict is Verdict.AGAIN


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        ("-3", 0, 0),
        ("1e9", 3600, 3600),
        (email.utils.formatdate(time.time() + 3_000, usegmt=True), 1_000, 3_000),
        (email.utils.formatdate(time.time() - 100, usegmt=True), 0, 0),
    ],
    ids=["seconds", "parts of one", "negative", "too long", "date", "past date"],
)
def test_retry_after_is_read(value, low, high):
    """Seconds and dates count, within an hour."""
    assert low <= read(429, retry_after=value).delay <= high


@pytest.mark.parametrize("value", [None, "", "soon", "nan", "Mon, 99 Foo"])
def test_retry_after_that_says_nothing_is_none(value):
    """What is no time asks for no delay."""
    assert read(503, retry_after=value).delay is None


def test_fault_has_the_service_s_words():
    """Code, message and fields are the service's; a long message is cut."""
    errors = {"schema_name": ["is not declared"]}
    fault = read_fault({"code": "validation_errors", "message": "no", "errors": errors})
    assert fault.code == "validation_errors"
    assert "no" in fault.message
    assert "is not declared" in fault.message
    assert fault.fields == ("schema_name",)
    assert fault.is_permanent
    assert len(read_fault({"message": "x" * 10_000}).message) < 600


@pytest.mark.parametrize("output", [{}, {"code": None, "message": 3}, {"errors": [1]}])
def test_fault_that_says_little_is_passing(output):
    """An error that does not say what it is may pass."""
    assert not read_fault(output).is_permanent


def test_of_an_output_only_what_is_looked_at_is_read():
    """The span that comes with it is left out, which most of an answer consists of."""
    output = {"status": "success", "details": {"id": "x"}, "control": {"terminate": True}}
    outcome = read(200, json.dumps({"status": "success", "outputs": {"key-1": output}}).encode())
    assert outcome.outputs == {"key-1": {"status": "success", "control": {"terminate": True}}}
