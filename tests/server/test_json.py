"""Tests of bodies that are hostile or broken, in process and over HTTP."""

import json

import pytest

from prefactor_trace.server import _json

NESTED = _json.MAX_DEPTH


def payload(text):
    """Return a body with this text as a value in a payload."""
    return b'{"details":{"payload":{"x":' + text + b"}}}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b'{"a":1}{"b":2}', "JSON"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (payload(b"NaN"), "NaN"),
        (payload(b"-Infinity"), "Infinity"),
        (payload(b"1e999"), "too large"),
        (payload(b"1" * 5000), "JSON"),
        (payload(rb'"\ud83d"'), "lone surrogate"),
        (payload(rb'"\udE00 \ud83d"'), "lone surrogate"),
        (payload(rb'"a\u0000b"'), "NUL"),
        (payload(rb'{"\u0000":1}'), "NUL"),
        (payload(b'"a\x00b"'), "JSON"),
        (payload(b"[" * NESTED + b"]" * NESTED), "too deeply"),
        (b'{"a":' * 100_000, "too deeply"),
        (b"[" * 1_000_000, "too deeply"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(service, body, told):
    """Whatever a body holds, it is refused in one sentence and the service goes on."""
    answer = service.send("POST", "/agent_spans", body=body)
    refusal = json.loads(answer.body)
    assert (answer.status, refusal["code"]) == (400, "bad_request")
    assert told in refusal["message"]
    assert service.get("/ping")[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        '"\\ud83d\\ude00"',
        '"\\\\u0000 \\\\ud800"',
        '"\u2028 \U0001f600 \x7f"',
        "123456789012345678901234567890",
        "-0.0",
        "1e-400",
        "[" * (NESTED - 4) + "]" * (NESTED - 4),
        '{"":{"constructor":null}}',
    ],
)
def test_a_strange_value_that_is_json_is_kept(service, text):
    """Unusual but proper values come back as they were sent."""
    instance = service.run()
    details = (
        f'{{"details":{{"agent_instance_id":"{instance["id"]}","schema_name":"plain",'
        f'"status":"active","payload":{{"x":{text}}}}}}}'
    )
    answer = service.send("POST", "/agent_spans", body=details.encode())
    assert answer.status == 200
    assert json.loads(answer.body)["details"]["payload"] == {"x": json.loads(text)}
    assert service.store.list_spans(instance["id"])[0].payload == {"x": json.loads(text)}


def test_a_compressed_body_is_refused(service):
    """A body in any encoding but plain is refused by its header."""
    answer = service.send("POST", "/bulk", body=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert answer.status == 415


def test_a_body_of_another_type_is_refused(service):
    """Forms and plain text, which any web page may send, are refused."""
    headers = {"content-type": "text/plain; charset=utf-8"}
    assert service.send("POST", "/bulk", body=b"{}", headers=headers).status == 415


def test_an_empty_body_is_an_empty_object(service):
    """A start without a body starts now."""
    instance = service.register()
    answer = service.send("POST", f"/agent_instance/{instance['id']}/start")
    assert answer.status == 200


def test_spellings():
    """What is written is compact, and sorted where order must not matter."""
    assert _json.write({"b": "ü", "a": [1, None]}) == '{"b":"ü","a":[1,null]}'
    assert _json.write_sorted({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
    assert _json.read(None) is None
