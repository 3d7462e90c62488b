"""Payloads and texts leave the redactor without secrets, whole, and as strict JSON."""

import copy
import json
import os
import random
import threading
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prefactor_trace._capture.redaction import Redactor
from prefactor_trace._capture.redaction_values import KnownSecrets
from prefactor_trace._notes import MARKER

FRAGMENTS = [
    "password", "Password", "api_key", "api key", "token", "secret", "Authorization", "Cookie",
    "Bearer ", "Basic ", "Digest ", ":", "=", "==", ": ", " = ", "=>", ";", "&", "?", "@", "://",
    "https://u:", '"', "'", "\\", '\\"', "{", "}", "[", "]", "<", ">", "</", "(", ")", ",", " ",
    "\n", "\\n", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----", "--", "-u ",
    "curl ", "sk-", "ghp_", "eyJ", ".", "AKIA", "IOSFODNN7EXAMPLE", "hunter2", "abcdefghijklmnop",
    "aB3dE5fG7hJ9kL1mN3pQ", "0123456789", MARKER, "[redacted", "None", "${X}", "known-value-1",
    "é", "\ud800", "\0", "x",
]  # fmt: skip

texts = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(lambda parts: json.dumps("".join(parts))),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts
)
names = st.one_of(texts, st.sampled_from(["password", "name", "value", "auth", "token", "type"]))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(names, inner, max_size=4),
        st.lists(st.tuples(names, inner).map(list), max_size=3),
        st.dictionaries(names, inner, max_size=3).map(json.dumps),
    ),
    max_leaves=12,
)
payloads = st.dictionaries(names, values, max_size=4)


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """A redactor without hook or environment, which knows one value."""
    made = Redactor(environ={})
    made.register("known-value-1")
    return made


def same_shape(before: Any, after: Any) -> bool:
    """Return whether two values differ in single values and in keys alone."""
    if type(before) is dict:
        return (
            type(after) is dict
            and len(before) == len(after)
            and all(map(same_shape, before.values(), after.values()))
        )
    if type(before) is list:
        return (
            type(after) is list
            and len(before) == len(after)
            and all(map(same_shape, before, after))
        )
    return type(after) is type(before) or after == MARKER


@settings(deadline=None, max_examples=150)
@given(payloads)
@example({"Password:Password://0000": None})
@example({"Name": '{"00000000000000000000000000000000000000": null, "Password": 0}', "Value": 0})
def test_any_payload_stays_strict_json_of_its_shape(payload: dict[str, Any]) -> None:
    """Whatever is in it; the argument is not changed, and a second time nothing is left to do."""
    redactor = Redactor(environ={})
    redactor.register("known-value-1")
    before = copy.deepcopy(payload)
    result, count = redactor.redact(payload)
    assert payload == before
    assert redactor.failures == {}
    json.dumps(result, allow_nan=False)
    assert same_shape(payload, result)
    assert (count == 0) == (result == payload)
    assert "known-value-1" not in json.dumps(result)
    assert redactor.redact(result) == (result, 0)


@settings(deadline=None, max_examples=150)
@given(texts)
def test_any_text_is_redacted_once(text: str) -> None:
    """What was redacted does not change again."""
    redactor = Redactor(environ={})
    once = redactor.redact_text(text)
    assert redactor.failures == {}
    assert redactor.redact_text(once) == once


@settings(deadline=None, max_examples=150)
@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.!?'()\n", max_size=300))
def test_plain_prose_is_never_touched(text: str) -> None:
    """Letters, spaces and the signs of sentences make no secret."""
    assert Redactor(environ={}).redact({"text": text}) == ({"text": text}, 0)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(["image", "data", "author", "session_notes"]))
def test_hexadecimal_is_never_touched(data: bytes, name: str) -> None:
    """Nor are digests and dumps, whatever they happen to spell."""
    payload = {name: data.hex()}
    assert Redactor(environ={}).redact(payload) == (payload, 0)


@settings(deadline=None, max_examples=150)
@given(texts, texts)
def test_a_known_value_never_shows(before: str, after: str) -> None:
    """Whatever stands around it."""
    redactor = Redactor(environ={})
    redactor.register("q8Rz+known/v")
    assert "q8Rz+known/v" not in redactor.redact_text(f"{before}q8Rz+known/v{after}")


def test_what_holds_no_secret_is_shared() -> None:
    """A payload with nothing to hide costs no copy, and neither does a part of one."""
    redactor = Redactor(environ={})
    payload: dict[str, Any] = {"a": {"b": [1, "two"]}, "c": [{"d": None}]}
    assert redactor.redact(payload)[0] is payload
    mixed, count = redactor.redact({**payload, "password": "hunter2"})
    assert count == 1
    assert mixed["a"] is payload["a"]


def test_counts_the_values_replaced(redactor: Redactor) -> None:
    """Each value counts, also several in one text."""
    payload = {"password": "a", "text": "password=hunter2 and known-value-1", "n": 1}
    assert redactor.redact(payload)[1] == 3


def test_keys_of_the_user_are_whole_words_in_any_case() -> None:
    """They hold in payloads and in text, and hide no longer word."""
    redactor = Redactor(keys=["account_number", "iban"], environ={})
    payload = {"accountNumber": 1, "my-IBAN": "x", "ibanez": "guitar", "text": "iban=DE0212"}
    assert redactor.redact(payload)[0] == {
        "accountNumber": MARKER,
        "my-IBAN": MARKER,
        "ibanez": "guitar",
        "text": f"iban={MARKER}",
    }


@pytest.mark.parametrize(
    ("keys", "told"),
    [("password", "a list of names"), ([""], "a name with letters"), ([7], "a name with letters")],
)
def test_refuses_keys_that_are_no_names(keys: Any, told: str) -> None:
    """The message says what would be right."""
    with pytest.raises(ValueError, match=told):
        Redactor(keys=keys)


def test_reads_the_environment_once_and_only_when_used() -> None:
    """What the program sets before the first span counts, what it changes later does not."""
    environ: dict[str, str] = {}
    redactor = Redactor(environ=environ)
    environ["SERVICE_API_KEY"] = "first-value-0001"
    assert redactor.redact_text("first-value-0001") == MARKER
    environ["SERVICE_API_KEY"] = "second-value-0002"
    assert redactor.redact_text("second-value-0002") == "second-value-0002"


def test_uses_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one given."""
    monkeypatch.setitem(os.environ, "SERVICE_API_KEY", "value-of-process-1")
    assert Redactor().redact_text("it is value-of-process-1") == f"it is {MARKER}"


def test_register_says_whether_a_value_can_be_hidden() -> None:
    """One that would be found in every text cannot."""
    redactor = Redactor(environ={})
    assert redactor.register("a-value-of-mine")
    assert not redactor.register("abc")
    assert not redactor.register("")
    assert redactor.redact({"a": "abc"}) == ({"a": "abc"}, 0)


def test_keys_that_become_the_same_stay_apart() -> None:
    """Two secret keys of a mapping are two keys afterwards, also beside one called like them."""
    redactor = Redactor(environ={})
    redactor.register("a-known-value")
    redactor.register("one-more-value")
    payload = {"a-known-value": 1, MARKER: 2, "one-more-value": 3}
    result, count = redactor.redact(payload)
    assert sorted(result.values()) == [1, 2, 3]
    assert count == 2
    assert redactor.redact(result) == (result, 0)


def test_deep_values_are_hidden_rather_than_followed() -> None:
    """A value deeper than any that is captured ends in a marker."""
    deep: Any = "password=hunter2"
    for _ in range(5_000):
        deep = [deep]
    redactor = Redactor(environ={})
    result, count = redactor.redact({"deep": deep})
    assert count == 1
    for _ in range(150):
        assert type(result) in (dict, list)
        result = next(iter(result.values())) if type(result) is dict else result[0]


@pytest.mark.expects_fault
def test_a_fault_of_its_own_hides_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked through is not passed on, and is counted."""
    redactor = Redactor(environ={})

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(redactor._shapes, "hide", broken)
    assert redactor.redact({"text": "something long"}) == ({"prefactor.redacted": MARKER}, 1)
    assert redactor.redact_text("something long") == MARKER
    assert redactor.failures == {"fault": 2}


def test_the_hook_sees_what_is_left_and_what_it_makes_is_looked_through() -> None:
    """It gets paths and values without secrets, and cannot bring one back."""
    seen = {}

    def hook(path: tuple[str | int, ...], value: Any) -> Any:
        seen[path] = value
        return {"password": "hunter2", "mail": "x"} if value == "jo@example.com" else value

    redactor = Redactor(hook=hook, environ={})
    payload = {"to": ["jo@example.com", 3], "api_key": "abc", "none": None}
    assert redactor.redact(payload) == (
        {"to": [{"password": MARKER, "mail": "x"}, 3], "api_key": MARKER, "none": None},
        3,
    )
    assert seen == {("to", 0): "jo@example.com", ("to", 1): 3, ("api_key",): MARKER}
    assert redactor.failures == {}


def test_a_failing_hook_hides_and_is_counted() -> None:
    """Its failures are seen in `failures`, and nothing it should have seen is recorded."""

    def hook(path: tuple[str | int, ...], value: Any) -> Any:
        raise KeyError(value)

    redactor = Redactor(hook=hook, environ={})
    assert redactor.redact({"a": "one", "b": [2]}) == ({"a": MARKER, "b": [MARKER]}, 2)
    assert redactor.failures == {"hook_raised": 2}


def test_threads_share_a_redactor() -> None:
    """While values are registered from several threads, all of them are hidden."""
    redactor = Redactor(environ={})
    shown: list[str] = []

    def work(number: int) -> None:
        for turn in range(200):
            value = f"value-{number}-{turn}-of-many"
            redactor.register(value)
            result, _ = redactor.redact({"text": f"it is {value}!", "password": value})
            if value in json.dumps(result):
                shown.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown == []


ADVERSARIAL = [
    "a", "password", 'password="', "password=", "password :", '"password": ', "passpass", "secret_",
    "eyJ", "-eyJ", "_sk-", "sk-", "://", "://a:b", "://a:b@", "@", ":", "=", "?a=", "&password=",
    "-----BEGIN PRIVATE KEY-----AAAAAAAAAAAAAAAA", "-----BEGIN PRIVATE KEY-----", "- -", "bearer ",
    "basic ", "cookie: a=", "authorization: digest a", "authorization: basic ", "curl -u ", " --a",
    "SG.", "-SG.", "AKIA", "12345678:A", "'\"password'", "password=a ;", "token\\\\\\\\", "\\",
    '{"password": [', "[", "<password>", "key key ", "%20", "\\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_time_is_linear_in_the_length(piece: str) -> None:
    """A text of a megabyte, made to be tried again from each place, is done in no time.

    A quadratic rule would take hours, so that the bound is far from what is measured.
    """
    text = piece * (1_000_000 // len(piece))
    redactor = Redactor(environ={})
    redactor.register("known-value-1")
    began = time.process_time()
    redactor.redact_text(text)
    redactor.redact({"text": "x" + text, text[:100_000]: 1})
    assert time.process_time() - began < 60


def test_random_megabyte_is_untouched() -> None:
    """Large base64 passes as it is, though it spells every short word by chance."""
    import base64

    text = base64.b64encode(random.Random(3).randbytes(750_000)).decode()
    redactor = Redactor(environ={f"KEY_{n}_TOKEN": f"secret-value-{n:04}" for n in range(50)})
    assert redactor.redact_text(text) == text


@pytest.mark.parametrize("value", ["plain-word", "pin1"])
def test_what_turns_out_a_secret_is_hidden_from_then_on(value):
    """However often it was seen before, as key and as value."""
    redactor = Redactor(environ={}, known=KnownSecrets())
    payload = {value: [value]}
    assert redactor.redact(payload) == (payload, 0)
    assert redactor.redact_text(value) == value
    redactor.register(value)
    assert redactor.redact(payload) == ({MARKER: [MARKER]}, 2)
    assert redactor.redact_text(value) == MARKER


@settings(deadline=None, max_examples=200)
@given(payloads)
@example({"k": 1, "id": "x", "to": ["--otp", "abc"]})
@example({"n": {"type": "bytes", "length": 13, "head": b"known-value-1".hex()}})
def test_a_quick_look_says_what_a_walk_does(payload: dict[str, Any]) -> None:
    """Also when all keys and texts that can be remembered are."""
    redactor = Redactor(environ={})
    redactor.register("known-value-1")
    walked = redactor._walk(payload)
    for _ in range(3):
        assert redactor.redact(payload) == walked


def test_what_is_read_from_the_environment_is_waited_for() -> None:
    """A thread that comes while another one reads does not go on without the values."""

    class Slow(dict[str, str]):
        def items(self) -> Any:
            reading.set()
            go_on.wait(10)
            return super().items()

    reading, go_on = threading.Event(), threading.Event()
    redactor = Redactor(environ=Slow(SERVICE_API_KEY="a-value-of-it-1"), known=KnownSecrets())
    shown: list[str] = []
    first = threading.Thread(target=redactor.redact_text, args=("x",))
    second = threading.Thread(target=lambda: shown.append(redactor.redact_text("a-value-of-it-1")))
    first.start()
    assert reading.wait(10)
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert shown == [MARKER]
