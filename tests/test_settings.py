"""Settings: code over environment over defaults, and one clear error for a wrong value."""

import dataclasses
from pathlib import Path

import pytest

from prefactor_trace import _setting_types
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace.exceptions import SettingsError

SECRET = "tok-of-great-secrecy"

# Setting, text of its variable, what that reads as, another value for code.
READABLE = [
    ("api_url", "https://example.com/", "https://example.com", "http://localhost:8000"),
    ("api_token", f" {SECRET} ", SECRET, "another"),
    ("agent_id", "researcher", "researcher", "writer"),
    ("purpose", "Eval", "eval", "live"),
    ("enabled", "off", False, True),
    ("local", "YES", True, False),
    ("local_db", "/tmp/a.db", "/tmp/a.db", "/tmp/b.db"),
    ("sample_rate", "0.25", 0.25, 1),
    ("ambient", "0", False, True),
    ("max_input_length", "500", 500, 1000),
    ("exit_timeout", "0", 0.0, 2.5),
    ("retry_on_status_codes", "429, 503", (429, 503), (500,)),
    ("log_level", "debug", "DEBUG", "ERROR"),
]

WRONG = [
    ("api_url", ["example.com", "ftp://example.com", "http://", "http://a:port", "https://a b/c"]),
    ("api_url", ["https://user:pw@example.com", "https://a/?q=1", "https://a/#x", 7]),
    ("api_token", ["two words", "line\nbreak", "naïve", 7]),
    ("agent_id", [7, b"agent", "  "]),
    ("purpose", ["production", 1]),
    ("enabled", ["maybe", 2, 1.0]),
    ("local_db", [7, ""]),
    ("sample_rate", ["half", -0.1, 1.1, float("nan"), True, 10**400, [1]]),
    ("max_input_length", [99, 100.5, "many", float("inf")]),
    ("exit_timeout", [-1, 3601, "nan"]),
    ("retry_on_status_codes", ["200", "429,", "5xx", 429, [600], [float("inf")]]),
    ("log_level", ["LOUD", 10]),
]


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    (field,) = [field for field in dataclasses.fields(Settings) if field.name == name]
    return field.metadata["variable"]


@pytest.mark.parametrize(("name", "text", "value", "code"), READABLE)
def test_code_wins_over_environment_over_default(name: str, text: str, value, code):
    """Each source counts only where the ones above it say nothing."""
    environ = {variable_of(name): text}
    assert getattr(load_settings({}, {}), name) == getattr(Settings(), name)
    assert getattr(load_settings({}, environ), name) == value
    assert getattr(load_settings({name: None}, environ), name) == value
    assert getattr(load_settings({name: code}, environ), name) == code


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_variable_is_not_set(empty: str):
    """This is how shells and compose files leave a variable out."""
    environ = {field.metadata["variable"]: empty for field in dataclasses.fields(Settings)}
    assert vars(load_settings({}, environ)) == vars(Settings())


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch):
    """Nothing needs to be passed for the variables to count."""
    monkeypatch.setenv("PREFACTOR_AGENT_NAME", "Researcher")
    assert load_settings({}).agent_name == "Researcher"


@pytest.mark.parametrize(("name", "values"), WRONG)
def test_a_wrong_value_is_one_error_that_names_it(name: str, values: list[object]):
    """The line names the setting and its variable, from code and from the environment alike."""
    for value in values:
        with pytest.raises(SettingsError, match=f"setting {name} .*{variable_of(name)}.* must be"):
            load_settings({name: value}, {})
        if isinstance(value, str) and value.strip():
            with pytest.raises(SettingsError, match=variable_of(name)):
                load_settings({}, {variable_of(name): value})


def test_every_default_passes_its_own_check():
    """A default written out is as good as one left out."""
    given = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert vars(load_settings(given, {})) == vars(Settings())


@pytest.mark.parametrize("name", ["local_db", "spool_dir"])
def test_a_path_leads_where_the_command_line_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """Whatever it was given as, and whatever folder the program goes to later."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for given, meant in (
        (tmp_path / "here", "here"),
        ("here", "here"),
        ("~/there", "home/there"),
    ):
        assert getattr(load_settings({name: given}, {}), name) == str(tmp_path / meant)
    with pytest.raises(SettingsError, match="must be a path that leads somewhere"):
        load_settings({name: "~nobody-of-that-name/x"}, {})


def test_an_unknown_name_suggests_the_nearest():
    """A typing mistake is answered with what was meant, nonsense with all there is."""
    with pytest.raises(SettingsError, match="unknown setting 'api_tokn'; did you mean 'api_token'"):
        load_settings({"api_tokn": SECRET}, {})
    with pytest.raises(SettingsError, match=r"known are agent_id, agent_name, .*version"):
        load_settings({"zzz": 1}, {})


def test_the_token_is_never_shown():
    """Neither the settings nor an error about them carry it."""
    settings = load_settings({"api_token": SECRET, "agent_id": "a"}, {})
    assert SECRET not in repr(settings) + str(settings)
    assert repr(settings) == "Settings(api_token='***', agent_id='a')"
    for wrong in ({"api_token": f"{SECRET} x"}, {"api_url": f"https://u:{SECRET}@example.com"}):
        with pytest.raises(SettingsError) as caught:
            load_settings(wrong, {})
        assert SECRET not in f"{caught.value!r} {caught.value}"
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]", "a.localhost"])
def test_plain_http_is_for_this_machine(host: str):
    """On loopback nobody can listen in."""
    assert load_settings({"api_url": f"http://{host}:80", "api_token": "t"}, {})


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "localhost.example.com", "[::2]"])
def test_plain_http_elsewhere_is_refused(host: str):
    """The token would cross the network unencrypted, unless that is what the user says."""
    given = {"api_url": f"http://{host}", "api_token": SECRET}
    with pytest.raises(SettingsError, match=r"PREFACTOR_API_URL.*https://.*allow_insecure"):
        load_settings(given, {})
    assert load_settings({**given, "allow_insecure": True}, {})
    assert load_settings({"api_url": given["api_url"]}, {})  # nothing is sent without a token


def test_why_nothing_is_recorded():
    """The reason says what to set."""
    assert "PREFACTOR_API_TOKEN" in str(load_settings({}, {}).off_reason)
    assert load_settings({"api_token": "t"}, {}).off_reason is None
    assert load_settings({"local": True}, {}).off_reason is None
    switched_off = load_settings({"api_token": "t", "enabled": False}, {})
    assert "PREFACTOR_ENABLED" in str(switched_off.off_reason)


def test_settings_cannot_be_changed():
    """Threads read them without a lock."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().api_url = "x"  # type: ignore[misc]


def test_type_checkers_know_every_setting():
    """And no other, in the same order."""
    known = _setting_types.GivenSettings.__annotations__
    assert list(known) == [field.name for field in dataclasses.fields(Settings)]
