"""Names are secret by their whole words, in every way of writing them."""

import pytest

from prefactor_trace._capture.redaction_keys import (
    SECRET_NAMES,
    SecretNames,
    Verdict,
    looks_random,
    words_of,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("db_password", ("db", "password")),
        ("dbPassword", ("db", "password")),
        ("DB-PASSWORD", ("db", "password")),
        ("APIKey", ("api", "key")),
        ("openaiAPIKey2", ("openai", "api", "key")),
        ("my api.key", ("my", "api", "key")),
        ("Schlüssel", ("schl", "ü", "ssel")),
        ("42", ()),
        ("", ()),
    ],
)
def test_words(name: str, words: tuple[str, ...]) -> None:
    """Snake, camel, kebab and spaced names have the same words."""
    assert words_of(name) == words


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_each_secret_name_is_secret_alone_within_others_and_many(name: str) -> None:
    """In snake, kebab and upper case, with words around it, and in the plural."""
    names = SecretNames()
    snake = name.replace(" ", "_")
    for written in (name, snake, snake.upper(), snake.replace("_", "-"), f"my_{snake}", f"{snake}s",
                    f"{snake}_old", name.title().replace(" ", "")):  # fmt: skip
        assert names.judge(written) is Verdict.SECRET, written
        assert names.hinted(written.lower()), written


@pytest.mark.parametrize(
    "name", ["password_policy", "api_key_id", "max_passwords", "author", "", "x" * 500]
)
def test_names_about_secrets_are_harmless(name: str) -> None:
    """What counts or describes secrets is none, and neither is a longer word."""
    assert SecretNames().judge(name) is Verdict.HARMLESS


def test_some_names_leave_it_to_the_value() -> None:
    """A model streams a `token`, and a client sends one."""
    assert SecretNames().judge("token") is SecretNames().judge("AUTH") is Verdict.DOUBTFUL


def test_names_of_the_user_win() -> None:
    """Also over what a name would be otherwise, and they are hinted at."""
    names = SecretNames(["token", "customerId", "max_tokens"])
    for name in ("token", "customer_id", "old-customer-id", "max_tokens"):
        assert names.judge(name) is Verdict.SECRET
    assert names.hinted("the customer_id=7")
    assert names.judge("customer") is names.judge("max_passwords") is Verdict.HARMLESS


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("f3a9c1d7e5b2048696a1", True),
        ("AbCdEfGhIjKlMnOp1", True),
        ("internationalization", False),
        ("1234567890123456", False),
        ("version-two-of-it-2", False),
        ("short1A", False),
        ("with a space 123456", False),
    ],
)
def test_what_looks_random(text: str, random: bool) -> None:
    """Long and mixed."""
    assert looks_random(text) is random
