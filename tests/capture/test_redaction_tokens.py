"""Tokens that show by how they begin, found where they can begin."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._capture.redaction_tokens import _TOKEN, _is_token, _tokens, hide_tokens
from prefactor_trace._notes import MARKER

PIECES = st.sampled_from(
    [
        *("sk-", "ghp_", "glpat-", "gl", "xoxb-", "AKIA", "eyJ", ".eyJ", "SG.", "r8_", "lsv2_pt_"),
        *(
            "12345678:AA",
            "1234567890123:AA",
            "dop_v1_",
            "shpat_",
            "\\n",
            "%2F",
            "/bot",
            " ",
            "-",
            "_",
            ".",
        ),
        *("abcdefgh12345678", "ABCDEFGH12345678", "x" * 35, "ü", "é1"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_as_many_are_found_as_by_searching_everywhere(text: str):
    """Looking only where one can begin misses none."""
    everywhere = [one.span(1) for one in _TOKEN.finditer(text) if _is_token(one[1])]
    assert list(_tokens(text)) == everywhere


def test_every_alternative_of_the_pattern_has_its_beginning():
    """One that is added to the pattern is added there too."""
    samples = re.findall(r"[A-Za-z0-9]", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7")
    tail = "".join(samples) * 2
    for prefix in (
        *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glrt-", "xoxb-"),
        *("xapp-", "ya29.", "GOCSPX-", "hf_", "npm_", "pypi-", "sk_live_", "pk_test_", "rk_live_"),
        *("whsec_", "gsk_", "r8_", "lsv2_pt_", "dop_v1_", "shpat_", "dapi-", "tvly-", "xai-"),
        *("pplx-", "nvapi-", "lin_api_", "ntn_", "sntrys_", "phc_", "hvs.", "1234567890:AA"),
        *("fw_", "pcsk_", "dp.pt.", "jina_", "vck_", "vercel_blob_rw_"),
    ):
        assert hide_tokens(f"the {prefix}{tail} is") == ("the [redacted] is", 1), prefix
    hexadecimal = "0123456789abcdef" * 2
    for prefix in ("dapi", "sbp_", "sk_", "key-", "SK"):
        assert hide_tokens(f"the {prefix}{hexadecimal} is") == ("the [redacted] is", 1), prefix
    assert hide_tokens("AKIAABCDEFGHIJKLMNOP") == ("[redacted]", 1)
    assert hide_tokens("AGE-SECRET-KEY-1" + "A1B2C3D4E5" * 4)[1] == 1


def test_a_token_may_be_of_letters_alone():
    """Where its beginning and its length leave no doubt."""
    letters = "FqWjbKkLZrTcVtQsdNxYhPmGaEuRiOpLqW"
    for token in (f"hf_{letters}", f"sk-{letters}", f"sk-proj-{letters}"):
        assert hide_tokens(token) == (MARKER, 1)
    assert hide_tokens("sk-proj-the-name-of-a-project-that-has-many-words")[1] == 0


def test_a_token_in_an_address():
    """Behind what the service puts in front of it."""
    address = "https://api.telegram.org/bot123456789:AA" + "bC3-_" * 7 + "/sendMessage"
    assert hide_tokens(address) == (f"https://api.telegram.org/bot{MARKER}/sendMessage", 1)


@pytest.mark.parametrize(
    "text", ["", "a plain sentence of glad words", "single-glove", "x" * 100_000]
)
def test_what_is_no_token_stays(text: str):
    """However long it is."""
    assert hide_tokens(text) == (text, 0)


@given(
    st.integers(900, 1_100), st.sampled_from([" ", "x\\n", "\ud800", "é"]), st.integers(0, 2_000)
)
def test_tokens_are_found_wherever_they_stand(before: int, edge: str, longer: int) -> None:
    """Also where a text is cut to be searched, and however long their parts are."""
    tail = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9jK2m" + "z" * longer
    for token in (f"ghp_{tail}", f"eyJ{tail}.{tail}", f"eyJ{tail}.{tail}.{tail}", f"xoxb-{tail}"):
        text = "y" * before + edge + token + " " + "y" * 1_500
        assert hide_tokens(text) == (text.replace(token, MARKER), 1)
        assert hide_tokens(f"{text} {token}")[1] == 2
    sendgrid = f"SG.{tail}.{tail}"
    assert hide_tokens("y" * before + " " + sendgrid)[0] == "y" * before + f" {MARKER}"
