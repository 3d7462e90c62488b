"""When to try again."""

import random

import pytest

from prefactor_trace._pipeline import backoff as module
from prefactor_trace._pipeline.backoff import Backoff
from prefactor_trace._settings import load_settings


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, and chance that always gives the most."""
    monkeypatch.setattr(module.time, "monotonic", lambda: 1_000.0)
    monkeypatch.setattr(module.random.Random, "uniform", lambda self, least, most: most)


def backoff(**settings):
    """Return a back-off with settings."""
    return Backoff(load_settings(settings, {}))


def test_delays_double_to_the_longest(clock):
    """Each failure doubles the delay, up to a bound."""
    one = backoff(retry_first_delay=0.5, retry_max_delay=3)
    delays = []
    for _ in range(5):
        one.note_failure()
        delays.append(one.delay)
    assert delays == [0.5, 1, 2, 3, 3]
    one.note_success()
    one.note_failure()
    assert one.delay == 0.5


def test_hurry_forgets_our_delay_and_not_the_services(clock):
    """A flush tries at once, unless the service has asked to be left alone."""
    one = backoff()
    one.note_failure()
    one.hurry()
    assert one.delay == 0
    one.note_asked(7)
    one.note_failure()
    one.hurry()
    assert one.delay == 7


def test_the_agents_own_chance_is_left_alone():
    """A program that seeds `random` gets the same numbers, whatever goes wrong with delivery."""
    random.seed(42)
    expected = random.random()
    random.seed(42)
    backoff().note_failure()
    assert random.random() == expected


def test_no_settings_make_it_a_busy_loop(clock):
    """Without any delay a service that is away would be asked without a pause."""
    one = backoff(retry_first_delay=0, retry_max_delay=0)
    one.note_failure()
    assert one.delay > 0


def test_to_wait_for_others_is_no_failure(clock):
    """Each time it is the first delay, and the service is not taken to be away."""
    one = backoff(retry_first_delay=0.5)
    for _ in range(3):
        one.note_waiting()
        assert (one.delay, one.failures) == (0.5, 0)
