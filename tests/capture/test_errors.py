"""What is kept of an exception."""

import gc
import weakref

import pytest

from prefactor_trace._capture import snapshot_error


class Strange(Exception):
    """An exception whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError


class Closed(Exception):
    """An exception that gives no attribute away."""

    def __getattribute__(self, name: str):
        raise RuntimeError(name)


def caught(function) -> BaseException:
    """Return what a function raises."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def fail() -> None:
    """Raise, one frame down."""
    raise ValueError("of no use")


def test_an_error_is_type_text_and_trace():
    """As the platform's SDKs send it, with the lines that Python would print."""
    payload = snapshot_error(caught(fail)).to_payload()
    assert (payload["error_type"], payload["message"]) == ("ValueError", "of no use")
    lines = payload["stacktrace"].splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any('raise ValueError("of no use")' in line for line in lines)
    assert lines[-1] == "ValueError: of no use"


def test_a_class_of_ones_own_is_named_in_full():
    """Two libraries may have a class of one name."""
    assert snapshot_error(Strange()).error_type == f"{__name__}.Strange"


@pytest.mark.parametrize("kind", [Strange, Closed])
def test_an_error_that_cannot_be_read_is_still_named(kind: type[Exception]):
    """Its class may do anything to its attributes and its text."""

    def fail_strangely() -> None:
        raise kind("x")

    payload = snapshot_error(caught(fail_strangely)).to_payload()
    assert payload["error_type"] == f"{__name__}.{kind.__name__}"
    assert "Traceback" in payload["stacktrace"]


def test_causes_and_contexts_are_told():
    """In the order and with the words of Python itself; a suppressed context is not."""

    def because() -> None:
        try:
            fail()
        except ValueError as error:
            raise KeyError("key") from error

    def while_handling() -> None:
        try:
            because()
        except KeyError:
            raise OSError("disk")  # noqa: B904

    def instead() -> None:
        try:
            fail()
        except ValueError:
            raise KeyError("key") from None

    trace = snapshot_error(caught(while_handling)).to_payload()["stacktrace"]
    marks = ["ValueError: of no use", "direct cause", "KeyError: 'key'", "During handling", "disk"]
    places = [trace.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "ValueError" not in snapshot_error(caught(instead)).to_payload()["stacktrace"]


def test_a_cycle_of_causes_ends():
    """Exceptions can be wired in a ring."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert "direct cause" in snapshot_error(one).to_payload()["stacktrace"]


def test_a_long_text_is_cut_and_a_deep_trace_too():
    """The middle of a recursion says nothing new."""

    def down(levels: int) -> None:
        if levels == 0:
            raise ValueError("x" * 50_000)
        down(levels - 1)

    error = snapshot_error(caught(lambda: down(300)))
    assert len(error.message) < 11_000
    assert "(50000 characters)" in error.message
    assert len(error.frames) == 64


def test_notes_are_part_of_the_text():
    """What was added to an exception on its way is told."""
    error = ValueError("text")
    error.__notes__ = ["first", 7, "second"]  # type: ignore[attr-defined]
    assert snapshot_error(error).message == "text\nfirst\nsecond"


def test_nothing_that_the_frames_hold_is_kept_alive():
    """An error may wait long for its delivery; the locals of the agent must not."""

    class Large:
        pass

    alive = []

    def work() -> None:
        large = Large()
        alive.append(weakref.ref(large))
        raise ValueError

    kept = snapshot_error(caught(work))
    gc.collect()
    assert alive[0]() is None
    assert kept.frames
