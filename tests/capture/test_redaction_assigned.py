"""Values that text assigns to secret names are found in each syntax, and nothing else is."""

import pytest

from prefactor_trace._capture.redaction_assigned import Assignments, is_placeholder, is_plain_word
from prefactor_trace._capture.redaction_keys import SecretNames

assignments = Assignments(SecretNames())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2", "password=[redacted]"),
        ("password=hunter2)", "password=[redacted])"),
        ("password := hunter2.", "password := [redacted]."),
        ("'password' => 'a b'", "'password' => '[redacted]'"),
        ('x["api_key"] = "a"', 'x["api_key"] = "[redacted]"'),
        ('"secret": "a\\"b", "n": 1', '"secret": "[redacted]", "n": 1'),
        ('\\"secret\\": \\"a\\\\\\"b\\", 1', '\\"secret\\": \\"[redacted]\\", 1'),
        ('"secret": 12, "n": 1', '"secret": [redacted], "n": 1'),
        ("Password=two words;Uid=me", "Password=[redacted];Uid=me"),
        ("<apiKey>abc</apiKey>", "<apiKey>[redacted]</apiKey>"),
        ("API key: abc12345!", "API key: [redacted]"),
        ("access token = abc12345", "access token = [redacted]"),
        ('("X-Api-Key", "abc12345")', '("X-Api-Key", "[redacted]")'),
        ("token=f3a9c1d7e5b2048696a1", "token=[redacted]"),
        ('secret="cut off', 'secret="[redacted]'),
        ("secret=abcd&password=efgh", "secret=[redacted]&password=[redacted]"),
    ],
)
def test_hides_the_value_alone(text: str, shown: str) -> None:
    """And nothing of what stands around it."""
    assert assignments.hide(text)[0] == shown
    assert assignments.hide(shown) == (shown, 0)


@pytest.mark.parametrize(
    "text",
    [
        "password: required",
        "password = given",
        "password=password,",
        "password=os.environ['X1']",
        "password=settings.db.password",
        "token=next",
        "max_tokens=123456789",
        "password: https://example.com/reset1",
        'print("Password: ", given1)',
        'getenv("API_KEY", "default-1")',
        "password > 12345678",
        "ssh_key: ~/.ssh/id_rsa1",
        "PASSWORD=DB_PASSWORD",
        "password=",
    ],
)
def test_leaves_prose_and_code(text: str) -> None:
    """A name, a call, a word of a sentence or a number of something else is no secret."""
    assert assignments.hide(text) == (text, 0)


@pytest.mark.parametrize(
    "value",
    ["${X}", "$X_1", "{x}", "{{ x }}", "<x>", "***", "...", "%(x)s", "None", "null,", "xxx"],
)
def test_placeholders_stand_for_a_value(value: str) -> None:
    """They may stay."""
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["$ecret!", "x1", "Nonesuch", "a{b}", "hunter2", "**a**"])
def test_values_are_no_placeholders(value: str) -> None:
    """However they begin."""
    assert not is_placeholder(value)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("required", True),
        ("SecretStr", True),
        ("getPassword", True),
        ("PqNVyX", False),
        ("a1", False),
    ],
)
def test_words_and_names_are_plain(text: str, plain: bool) -> None:
    """Letters whose capitals begin words."""
    assert is_plain_word(text) is plain


@pytest.mark.parametrize("before", range(1_000, 1_050, 3))
def test_assignments_are_found_wherever_they_stand(before: int) -> None:
    """Also where a text is cut to be searched, with all that may stand in between."""
    for name in ("password", "my_API_key", "secret" + "_x" * 24, "passwd**", "\\'cookie\\'"):
        text = "y" * before + f" {name}    :  'ab12cd34ef56ab12cd34' " + "y" * 2_000
        assert assignments.hide(text) == (text.replace("ab12cd34ef56ab12cd34", "[redacted]"), 1)
