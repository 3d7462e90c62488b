"""What a secret stands in stays readable when the secret is gone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefactor_trace._capture.redaction_filter import Filter
from prefactor_trace._capture.redaction_keys import SecretNames
from prefactor_trace._capture.redaction_shapes import SecretShapes

shapes = SecretShapes(SecretNames())

GITHUB = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:hunter2@api.test:8443/v1", "https://me:[redacted]@api.test:8443/v1"),
        ("https://a.test/?q=1&api_key=abc&n=2#x", "https://a.test/?q=1&api_key=[redacted]&n=2#x"),
        ("Authorization: Basic bWU6aHVudGVyMg==", "Authorization: Basic [redacted]"),
        ("authorization: Bearer abcdefghij\nHost: x", "authorization: Bearer [redacted]\nHost: x"),
        ("Cookie: a=b; c=d\r\nHost: x", "Cookie: [redacted]\r\nHost: x"),
        (f"use {GITHUB}, please", "use [redacted], please"),
        (f"line\\n{GITHUB}", "line\\n[redacted]"),
        (f"x%3D{GITHUB}", "x%3D[redacted]"),
        ("run --api-key abc123 --n 2", "run --api-key [redacted] --n 2"),
        ("curl -s -u me:hunter2 http://x", "curl -s -u me:[redacted] http://x"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END PRIVATE KEY-----\nrest",
            "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\nrest",
        ),
    ],
)
def test_only_the_secret_is_replaced(text: str, shown: str) -> None:
    """What stands around it stays, and a second time there is nothing left."""
    assert shapes.hide(text) == (shown, 1)
    assert shapes.hide(shown) == (shown, 0)


def test_several_in_a_text_are_counted() -> None:
    """Each by the rule that finds it first."""
    text = f"https://u:pw123456@h/?token=abc {GITHUB} password=hunter2"
    assert shapes.hide(text) == (
        "https://u:[redacted]@h/?token=[redacted] [redacted] password=[redacted]",
        4,
    )


@pytest.mark.parametrize("text", ["hunter2", "a" * 500, "", "Bearer", "what is a bearer token?"])
def test_a_text_without_shape_is_the_same_object(text: str) -> None:
    """Nothing is copied, and nothing found."""
    assert shapes.hide(text)[0] is text


PIECES = [
    "https://me:hunter2@", "https://f3a9c1d7e5b2048696a1@h", "/?token=abc", "&sig=1&", "?;key=",
    "Basic bWU6aHVudGVyMg==", "bearer A1b2c3d4", "Cookie: a=b", "Set-Cookie:a=b", "xset-cookie: a=",
    "\n", "'", '"', "Authorization", ": ", "digest a=b", "curl -u me:hunter2", "xcurl -u a:b ", " ",
    " --api-key abc123", "--password x1y2z3", "hooks.slack.com/services/abcdefgh1", "https://",
    "discord.com/api/webhooks/12/abcdefgh1", "password=hunter2", "-----BEGIN PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA", "\ud800", "\u212aey=ab12", "\u0130", "\u017f", "coo\u212aie: a=b", GITHUB,
    "é" * 900,
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_a_filter_changes_nothing(text: str) -> None:
    """What it rules out has no secret."""
    for names in (SecretNames(), SecretNames(["api", "größe"]), SecretNames(["ключ"])):
        filtered, searched = SecretShapes(names), SecretShapes(names)
        searched._anything = Filter("")
        assert filtered.hide(text) == searched.hide(text)


def test_letters_of_other_scripts_are_ruled_out_by_none() -> None:
    """A name is found in whatever its letters are the lower case of."""
    names = SecretNames(["abcdefghijklmnopqrstuvwxyz", "pi"])
    anything = SecretShapes(names)._anything
    for letter in map(chr, range(0x110000)):
        for lower in set(letter.lower()) & set("kpi"):
            text = {"k": f"{letter}ey", "p": f"{letter}i", "i": f"p{letter}"}[lower]
            assert names.hinted(text.lower())
            assert anything.may_find(text), text
    assert anything.may_find("sum &a=b")
    assert not anything.may_find("sum &a")
