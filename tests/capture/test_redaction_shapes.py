"""What a secret stands in stays readable when the secret is gone."""

import pytest

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
