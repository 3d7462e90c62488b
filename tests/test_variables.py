"""Variables that look like settings and are none."""

import dataclasses
import logging

import pytest

import prefactor_trace as prefactor
from prefactor_trace._settings import Settings
from prefactor_trace._variables import find_unknown

MEANT = {
    "PREFACTOR_LOCL": "PREFACTOR_LOCAL",
    "PREFACTOR_SAMPLE_RAT": "PREFACTOR_SAMPLE_RATE",
    "PREFACTOR_TOKEN": "PREFACTOR_API_TOKEN",
    "PREFACTOR_VERSION": "PREFACTOR_AGENT_IDENTIFIER",
}


@pytest.mark.parametrize(("name", "meant"), MEANT.items())
def test_the_variable_that_is_meant_is_named(name: str, meant: str):
    """The nearest by what is its own, or that of the setting that has the name."""
    assert find_unknown({name: "1"}) == {name: f"did you mean {meant}?"}


def test_what_resembles_nothing_is_named_too():
    """That all of them begin alike makes none of them near."""
    assert find_unknown({"PREFACTOR_XYZZY": "1"}) == {"PREFACTOR_XYZZY": "docs/settings.md has all"}


def test_what_is_known_is_not_named():
    """Settings, what else is read, what is empty, what Kubernetes sets, and what is not ours."""
    known = [field.metadata["variable"] for field in dataclasses.fields(Settings)]
    known += ["PREFACTOR_CONTEXT", "PREFACTOR_SERVE_TOKEN", "TRACEPARENT", "PATH"]
    known += ["PREFACTOR_PORT", "PREFACTOR_SERVICE_HOST", "PREFACTOR_API_SERVICE_PORT_HTTP"]
    known += ["PREFACTOR_API_PORT_443_TCP_ADDR", "PREFACTOR_PORT_80_TCP"]
    assert find_unknown({**dict.fromkeys(known, "1"), "PREFACTOR_TOKEN": " "}) == {}


def test_a_warning_names_each_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """However many tracers are made; the value, which may be a token, is not shown."""
    for name in MEANT:
        monkeypatch.setenv(name, "s3cret")
    with caplog.at_level(logging.WARNING, "prefactor_trace"):
        for _ in range(2):
            prefactor.Tracer(offline=True, api_token="t").shutdown(1)
        with prefactor.span("step"):
            pass
    told = [record for record in caplog.records if "no setting" in record.getMessage()]
    assert len(told) == len(MEANT)
    assert all(one.levelno == logging.WARNING for one in told)
    assert "s3cret" not in caplog.text
    assert "PREFACTOR_TOKEN is no setting and changes nothing; did you mean" in caplog.text
