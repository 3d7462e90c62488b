"""What goes out is written in one place: without secrets, cut to length, as strict JSON."""

import json

import pytest

import prefactor_trace
from prefactor_trace._capture.redaction import Redactor
from prefactor_trace._capture.redaction_values import KnownSecrets
from prefactor_trace._capture.truncation import shown_of
from prefactor_trace._pipeline.writer import Writer
from prefactor_trace._settings import Settings


@pytest.fixture(autouse=True)
def forget_secrets(monkeypatch):
    """Give each test a process that knows of no secret."""
    known = KnownSecrets()
    monkeypatch.setattr("prefactor_trace._capture.redaction_values.process_secrets", known)
    monkeypatch.setattr("prefactor_trace._capture.redaction.process_secrets", known)


def sent(traced):
    """Return all that was sent, as text."""
    assert traced.flush()
    return json.dumps(traced.transport.requests)


def test_no_way_out_shows_a_secret(traced):
    """Arguments, payloads set later, results, errors and quality records are all written here."""
    secret = "hunter2-hunter2"
    prefactor_trace.register_secret(secret)

    @traced.span("login")
    def login(user, password):
        raise ValueError(f"{user} cannot log in with {secret}")

    with traced.instance() as run:
        with pytest.raises(ValueError):
            login("me", "not-registered-1")
        with traced.span("step", {"header": {"Authorization": "Bearer abcdefghijklmnop"}}) as step:
            traced.flush()
            step.set_payload({"note": f"it is {secret}"})
            step.set_result({"url": "https://me:pass-in-url-9@example.com/"})
        run.record_quality("good", {"why": secret})
        with traced.span(f"named {secret}"):
            pass
    text = sent(traced)
    for shown in (secret, "not-registered-1", "abcdefghijklmnop", "pass-in-url-9"):
        assert shown not in text
    assert "[redacted]" in text


def test_a_secret_that_is_cut_in_two_does_not_show(make):
    """Redaction comes before truncation, which might leave a part that nobody knows."""
    secret = "sk-" + "a1B2c3D4" * 6
    traced = make(max_input_length=200)
    with traced.span("step", {"text": "x" * 80 + f" {secret} " + "y" * 4_000}):
        pass
    assert "a1B2c3D4" not in sent(traced)


def test_names_and_a_rule_of_the_user(make):
    """The settings add names and a rule; a rule that raises hides instead of showing."""

    def rule(path, value):
        if path[-1:] == ("broken",):
            raise RuntimeError
        return "gone" if value == "visible" else value

    traced = make(redact_keys=["shoe_size"], redact=rule)
    with traced.span("step", {"shoe_size": "forty-two", "a": "visible", "broken": "raw value"}):
        pass
    text = sent(traced)
    assert "forty-two" not in text
    assert "visible" not in text
    assert "gone" in text
    assert "raw value" not in text


@pytest.mark.parametrize("value", ["abc", "", None, 12345678])
def test_what_cannot_be_hidden_is_said_at_once(value):
    """A secret that is too short to be found without finding it everywhere is refused."""
    with pytest.raises(prefactor_trace.exceptions.UsageError, match="at least four characters"):
        prefactor_trace.register_secret(value)


def test_failures_of_a_rule_are_counted(make):
    """`stats` says how often a rule could not be followed, and why."""

    def rule(path, value):
        raise RuntimeError

    traced = make(redact=rule)
    with traced.span("step", {"a": "x"}):
        pass
    traced.flush()
    assert traced.stats().redaction_failures == {"hook_raised": 1}


@pytest.mark.parametrize(
    "redact", [None, lambda path, value: value], ids=["no rule", "a rule of the user"]
)
@pytest.mark.parametrize(
    ("payload", "result"),
    [
        ({"a": 1}, {"b": "two"}),
        ({}, None),
        ({"a": 1}, "no mapping"),
        ({"password": "hunter2"}, {"b": 1}),
        ({"a": 1}, {"text": "sk-ant-api03-" + "a1B2" * 20}),
        ({"text": "x" * 900}, {"text": "y" * 900}),
        ({"text": "x" * 90}, {"text": "y" * 5_000}),
        ({"text": "\ud800"}, {"text": "\0"}),
    ],
)
def test_payload_and_result_are_written_together_as_apart(redact, payload, result):
    """Whether they fit, have secrets or are cut."""
    writer = Writer(Settings(redact=redact, max_input_length=1_000, max_output_length=1_200))
    apart = b'"payload":%b,"result_payload":%b' % (writer.payload(payload), writer.result(result))
    assert writer.contents(payload, result, 0) == apart
    assert writer.contents(payload, result, 1_000_000) == apart


_LINES = "".join(f"{number:04} what customers ask of their parcels\n" for number in range(4_000))
_PRIVATE_KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "".join(f"{'aB3/xY9+' * 8}\n" for _ in range(50))
    + "-----END RSA PRIVATE KEY-----"
)
_SECRETS = {
    "a key": _PRIVATE_KEY,
    "a ring of keys": _PRIVATE_KEY.replace("RSA", "PGP").replace("aB3/xY9+", "aB3/xY9+" * 8),
    "a token": "sk-ant-api03-" + "a1B2" * 300,
    "a long value": "api_key=" + "aB3xY9wK" * 3_000,
}


@pytest.mark.parametrize("secret", _SECRETS)
@pytest.mark.parametrize("limit", [1_000, 10_000])
@pytest.mark.parametrize("begin", ["", "{"], ids=["text", "like JSON"])
def test_no_part_of_a_secret_is_in_what_is_shown_of_a_long_text(secret, limit, begin):
    """Wherever it stands: also across the place where the text is cut."""
    value, size = _SECRETS[secret], len(_SECRETS[secret])
    writer = Writer(Settings(max_input_length=limit, max_output_length=limit))
    for near in (0, limit // 4, limit // 2, limit):
        for shift in (-size, -size // 2, -20, 0):
            for at in (near + shift, len(_LINES) - near + shift):
                text = begin + _LINES[: max(0, at)] + " " + value + " " + _LINES[max(0, at) :]
                written = writer.contents({"text": text}, None, len(text))
                assert b'"size":' in written
                assert value[40:80].encode() not in written
                assert value[-80:-40].encode() not in written


def test_of_a_long_text_only_what_is_shown_is_looked_through():
    """A secret in the midst of it is cut with the rest, and the text is said to be as long."""
    writer = Writer(Settings(max_input_length=1_000, max_output_length=1_000))
    middle = len(_LINES) // 2
    writer.payload({"text": "by now the key is known to say nothing of its value"})
    text = _LINES[:middle] + _SECRETS["a token"] + _LINES[middle:]
    read = json.loads(writer.payload({"text": text}))["text"]
    assert read["size"] == len(text)
    assert text.startswith(read["head"])
    assert text.endswith(read["tail"])


def test_a_known_value_that_is_longer_than_any_key_is_not_shown():
    """Such as the content of a file of credentials."""
    value = "".join(f"credential {number}: " + "x1Y2" * 5 + "\n" for number in range(1_000))
    known = KnownSecrets()
    known.add(value)
    redactor = Redactor(known=known, environ={}, limit=1_000)
    redactor.redact({"text": "by now the key is known to say nothing of its value"})
    payload = {"text": _LINES + value}
    assert redactor.redact(payload)[1] == 1


def test_a_name_is_looked_through_whole():
    """Though the same text may stand in a payload, where it is cut."""
    redactor = Redactor(known=KnownSecrets(), environ={}, limit=1_000)
    middle = len(_LINES) // 2
    redactor.redact({"text": "by now the key is known to say nothing of its value"})
    text = _LINES[:middle] + _SECRETS["a token"] + _LINES[middle:]
    assert redactor.redact({"text": text}) == ({"text": text}, 0)
    assert _SECRETS["a token"] not in redactor.redact_text(text)


def test_a_long_text_that_is_a_key_elsewhere_shows_no_secret():
    """As where answers are kept by what was asked: as a value it was looked through at its ends."""
    limit = 150_000
    writer = Writer(Settings(max_input_length=limit, max_output_length=limit))
    writer.payload({"text": "by now the key is known to say nothing of its value"})
    at = shown_of(limit) + 17_000
    text = f"{_LINES[:at]} {_SECRETS['a token']} {_LINES[at:]}{_LINES}"
    assert json.loads(writer.payload({"text": text}))["text"]["size"] == len(text)
    assert b"sk-ant-api03" not in writer.payload({text: 1})


def test_a_schema_shows_no_secret(traced):
    """Neither its defaults and examples nor its descriptions; the rest of it stays."""
    secret = "hunter2-hunter2"
    prefactor_trace.register_secret(secret)
    params = {
        "type": "object",
        "description": f"not {secret}",
        "properties": {
            "url": {"type": "string", "default": "https://me:pass-in-url-9@example.com/"},
            "words": {"type": "array", "examples": [[secret, 1]], "maxItems": 3},
        },
    }
    traced.declare("step", params=params)
    traced.declare_quality("good", {"type": "object", "description": secret})
    with traced.instance(), traced.span("step"):
        pass
    text = sent(traced)
    assert secret not in text
    assert "pass-in-url-9" not in text
    assert '"maxItems": 3' in text


def test_what_becomes_known_as_a_secret_is_in_no_later_schema(traced):
    """Though nothing else was declared meanwhile."""
    traced.declare("step", params={"type": "object", "description": "hunter2-hunter2"})
    with traced.instance():
        pass
    assert traced.flush()
    before = len(traced.transport.requests)
    prefactor_trace.register_secret("hunter2-hunter2")
    with traced.instance():
        pass
    assert traced.flush()
    assert "hunter2-hunter2" not in json.dumps(traced.transport.requests[before:])


def test_a_name_is_looked_through_again_when_another_secret_is_known():
    """Though it was written before."""
    writer = Writer(Settings())
    name = "ask zebra-crossing-of-the-writer"
    assert writer.text(name) == json.dumps(name).encode()
    prefactor_trace.register_secret("zebra-crossing-of-the-writer")
    assert writer.text(name) == b'"ask [redacted]"'
