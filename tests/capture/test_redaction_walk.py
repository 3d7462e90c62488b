"""A walk hides what names, pairs, schemas and bytes say is secret, and keeps the shape."""

from typing import Any

import pytest

from prefactor_trace._capture.redaction_clean import CleanTexts
from prefactor_trace._capture.redaction_keys import SecretNames
from prefactor_trace._capture.redaction_shapes import SecretShapes
from prefactor_trace._capture.redaction_values import KnownSecrets
from prefactor_trace._capture.redaction_walk import Walk
from prefactor_trace._notes import MARKER


@pytest.fixture
def walk() -> Walk:
    """A walk that knows one value."""
    names, known = SecretNames(), KnownSecrets()
    known.add("a-known-value")
    known.add("98127364551")
    return Walk(names, SecretShapes(names), known, CleanTexts(known))


@pytest.mark.parametrize(
    ("value", "shown", "count"),
    [
        ({"password": [1, {"a": "x", "b": None}, True, ""]},
         {"password": [MARKER, {"a": MARKER, "b": None}, True, ""]}, 2),
        ([["Authorization", "x"], ["Accept", "y"]],
         [["Authorization", MARKER], ["Accept", "y"]], 1),
        ({"name": "Cookie", "value": "x", "path": "/"},
         {"name": "Cookie", "value": MARKER, "path": "/"}, 1),
        ({"auth": ["me", "x"]}, {"auth": ["me", MARKER]}, 1),
        (["--password", "x", "--otp", "-v", "y"], ["--password", MARKER, "--otp", "-v", "y"], 1),
        ({"password": {"type": "string", "default": "x", "description": "of 8 characters"}},
         {"password": {"type": "string", "default": MARKER, "description": "of 8 characters"}}, 1),
        ({"password": {"type": "string", "owner": "x"}},
         {"password": {"type": MARKER, "owner": MARKER}}, 2),
        ({"n": 98127364551, "m": 98127364552}, {"n": MARKER, "m": 98127364552}, 1),
        ({"a-known-value": {"x": 1}}, {MARKER: {"x": 1}}, 1),
        ('{"secrets": ["x"], "n": 1}', '{"secrets": ["[redacted]"], "n": 1}', 1),
        (' {"headers": [["Cookie", "x"]]}', '{"headers": [["Cookie", "[redacted]"]]}', 1),
        ({"type": "bytes", "length": 15, "head": b"x a-known-value".hex()},
         {"type": "bytes", "length": MARKER, "head": MARKER}, 1),
    ],
)  # fmt: skip
def test_hides_and_counts(walk: Walk, value: Any, shown: Any, count: int) -> None:
    """Each value once."""
    assert walk.value(value, 0) == shown
    assert walk.count == count
    assert walk.value(shown, 0) == shown
    assert walk.count == count


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Accept", "value": "x"},
        {"name": None, "value": "x"},
        {"name": {"type": 1, "length": 2, "head": 3}, "value": "x"},
        {"type": "bytes", "length": 2, "head": "no hex"},
        {"type": "bytes", "length": 2, "head": "ffd8"},
        {"type": ["bytes"], "length": 2, "head": "ffd8"},
        {"auth": ["one"], "token": ["a", "b"]},
        '{"secret": nothing}',
        '{"secrets": []}',
        [[], [1]],
        ["-----BEGIN PRIVATE KEY-----", 0],
        -5,
    ],
)
def test_keeps_what_is_no_secret(walk: Walk, value: Any) -> None:
    """As the same object."""
    assert walk.value(value, 0) is value
    assert walk.count == 0


def test_large_texts_of_nested_json_are_followed(walk: Walk) -> None:
    """A secret in JSON in JSON is found, and one too deep to be read is found by its shape."""
    import json

    text = json.dumps({"password": "hunter2"})
    for _ in range(6):
        text = json.dumps({"text": text})
    assert "hunter2" not in walk.text(text)
    deep = "[" * 100_000 + '{"password": "hunter2"}' + "]" * 100_000
    assert "hunter2" not in walk.text(deep)


def test_texts_that_come_again_are_looked_up():
    """Until another secret is known; long ones are not remembered, and only so many are."""
    known = KnownSecrets()
    clean = CleanTexts(known)
    clean.keep("short")
    clean.keep("x" * 65)
    clean.renew()
    assert clean == {"short"}
    known.add("another secret")
    clean.renew()
    assert clean == set()
    for number in range(20_000):
        clean.keep(str(number))
    assert len(clean) <= 8_192


@pytest.mark.parametrize("secret", ["pässwörd-für-alle", "пароль-секрет"])
@pytest.mark.parametrize("size", [64, 15])
def test_bytes_hold_text_in_utf8(secret: str, size: int) -> None:
    """A secret of letters beyond ASCII is known there too, whole or cut off."""
    names, known = SecretNames(), KnownSecrets()
    known.add(secret)
    walk = Walk(names, SecretShapes(names), known, CleanTexts(known))
    head = secret.encode()[:size].hex()
    shown = {"type": "bytes", "length": MARKER, "head": MARKER}
    assert walk.value({"type": "bytes", "length": 99, "head": head}, 0) == shown
