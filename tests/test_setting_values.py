"""What a setting may be, where that is more than a word of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._capture.redaction_keys import SecretNames
from prefactor_trace._settings import load_settings
from prefactor_trace.exceptions import SettingsError


@given(st.lists(st.text(max_size=5), max_size=3))
def test_names_to_hide_are_checked_where_they_are_set(given_names: list[str]):
    """What is taken here, the redaction takes, which is only made when something is sent."""
    try:
        names = load_settings({"redact_keys": given_names}).redact_keys
    except SettingsError:
        return
    SecretNames(names)


@pytest.mark.parametrize("wrong", ["123", "a,_", [""], 5])
def test_a_name_to_hide_has_letters(wrong: object):
    """A number is no name of anything."""
    with pytest.raises(SettingsError, match="redact_keys"):
        load_settings({"redact_keys": wrong})
