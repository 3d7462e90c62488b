"""A user's hook may do anything: what it does not finish properly is hidden."""

import enum
import threading
from typing import Any

import pytest

from prefactor_trace._capture.bounds import MAX_DEPTH
from prefactor_trace._capture.redaction_hook import GuardedHook, blank, plain_copy
from prefactor_trace._notes import MARKER


class Failures(list[str]):
    """Reasons, in the order that they were counted."""

    def guard(self, hook: Any, time_limit: float = 30) -> GuardedHook:
        """Return a hook whose failures are noted here."""
        return GuardedHook(hook, self.append, time_limit)


@pytest.fixture
def failures() -> Failures:
    """No failure yet."""
    return Failures()


def test_is_called_with_path_and_value_off_the_calling_thread(failures: Failures) -> None:
    """For each single value but `None`, and not on the thread that asked for it."""
    seen = []

    def hook(path: Any, value: Any) -> Any:
        seen.append((path, value, threading.current_thread() is threading.main_thread()))
        return value

    payload = {"a": [1, {"b": "two"}], "c": True, "d": None}
    assert failures.guard(hook).apply(payload) == (payload, 0)
    assert seen == [(("a", 0), 1, False), (("a", 1, "b"), "two", False), (("c",), True, False)]


def test_what_it_returns_is_recorded(failures: Failures) -> None:
    """Any plain JSON, of which a change of the type alone is a change too."""

    def hook(path: Any, value: Any) -> Any:
        return {1: True, "mail": "***", "list": [None, {"x": 0.5}]}.get(value, value)

    result, changed = failures.guard(hook).apply({"a": 1, "b": "mail", "c": "list", "d": "same"})
    assert result == {"a": True, "b": "***", "c": [None, {"x": 0.5}], "d": "same"}
    assert (result["a"] is True, changed, failures) == (True, 3, [])


def test_what_it_changes_later_is_not_changed_here(failures: Failures) -> None:
    """A container that the hook keeps is its own."""
    kept: list[Any] = [["x"]]
    result, _ = failures.guard(lambda path, value: kept).apply({"a": 1})
    kept[0].append("later")
    assert result == {"a": [["x"]]}


class Colour(str, enum.Enum):
    """Text, but not plain."""

    RED = "red"


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "hook_returned_nothing"),
        (float("nan"), "hook_returned_no_json"),
        (float("inf"), "hook_returned_no_json"),
        (object(), "hook_returned_no_json"),
        (b"bytes", "hook_returned_no_json"),
        ((1, 2), "hook_returned_no_json"),
        ({1: "key"}, "hook_returned_no_json"),
        ([{"x": {1, 2}}], "hook_returned_no_json"),
        (Colour.RED, "hook_returned_no_json"),
    ],
)
def test_a_wrong_value_is_hidden_and_counted(
    failures: Failures, returned: Any, reason: str
) -> None:
    """Only where it was returned; the other values go on."""

    def hook(path: Any, value: Any) -> Any:
        return returned if path == ("a",) else value

    assert failures.guard(hook).apply({"a": "one", "b": 2}) == ({"a": MARKER, "b": 2}, 1)
    assert failures == [reason]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_raising_is_hidden_and_counted(failures: Failures, error: type[BaseException]) -> None:
    """Whatever it raises; it is called again for the next value."""

    def hook(path: Any, value: Any) -> Any:
        if value == "one":
            raise error("with the value in it: one")
        return value

    assert failures.guard(hook).apply({"a": "one", "b": 2}) == ({"a": MARKER, "b": 2}, 1)
    assert failures == ["hook_raised"]


def test_hanging_hides_everything_from_then_on(failures: Failures) -> None:
    """It is left behind, not called again, and what it does later changes nothing."""
    calls, release, left = [], threading.Event(), threading.Event()

    def hook(path: Any, value: Any) -> Any:
        calls.append(value)
        release.wait(30)
        left.set()
        return value

    guard = failures.guard(hook, time_limit=0.05)
    payload = {"a": "one", "b": [2, None, {"c": True}]}
    hidden = {"a": MARKER, "b": [MARKER, None, {"c": MARKER}]}
    assert guard.apply(payload) == (hidden, 3)
    release.set()
    assert left.wait(30)
    assert guard.apply(payload) == (hidden, 3)
    assert failures == ["hook_hung", "hook_off"]
    assert payload == {"a": "one", "b": [2, None, {"c": True}]}
    assert len(calls) <= 3


def test_many_quick_calls_are_no_hang(failures: Failures) -> None:
    """The limit is that of one call, however long the whole takes."""
    payload = {"values": list(range(50_000))}
    assert failures.guard(lambda path, value: value, 0.2).apply(payload) == (payload, 0)
    assert failures == []


def test_without_a_thread_everything_is_hidden(
    failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that is shutting down starts none."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert failures.guard(lambda path, value: value).apply({"a": 1}) == ({"a": MARKER}, 1)
    assert failures == ["hook_off"]


def test_blank_hides_every_value_once() -> None:
    """Keys and shape stay; what is hidden already is not counted again."""
    hidden, count = blank({"a": [1, "x", None], "b": {"c": 0.5, "d": False}})
    assert (hidden, count) == ({"a": [MARKER, MARKER, None], "b": {"c": MARKER, "d": MARKER}}, 4)
    assert blank(hidden) == (hidden, 0)


def test_plain_copy_refuses_what_is_too_deep() -> None:
    """Also a list that holds itself."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="deep"):
        plain_copy(endless)
    assert plain_copy([[]] * 3, MAX_DEPTH - 2) == [[], [], []]
