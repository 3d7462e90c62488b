"""What is kept of an exception."""

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import traceback
import weakref

import pytest

import prefactor_trace as prefactor
from prefactor_trace._capture import snapshot_error
from prefactor_trace.exceptions import UsageError


class Strange(Exception):
    """An exception whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError


class Exits(Exception):
    """An exception whose text ends the process."""

    def __str__(self) -> str:
        raise SystemExit


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


@pytest.mark.parametrize("kind", [Strange, Exits, Closed])
def test_an_error_that_cannot_be_read_is_still_named(kind: type[Exception]):
    """Its class may do anything to its attributes and its text."""

    def fail_strangely() -> None:
        raise kind("x")

    payload = snapshot_error(caught(fail_strangely)).to_payload()
    assert payload["error_type"] == f"{__name__}.{kind.__name__}"
    assert payload["message"] == "(its text could not be read)"
    assert "Traceback" in payload["stacktrace"]


def as_python_tells(error: BaseException) -> str:
    """Return what Python prints of an error, without the marks below its lines."""
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return "".join(line for line in lines.splitlines(True) if line.strip(" ~^\n") or line == "\n")


def test_an_error_without_a_text_is_its_name():
    """As Python prints it, and so is one of the program itself."""
    assert snapshot_error(ValueError()).to_payload()["stacktrace"] == "ValueError\n"
    own = type("Own", (Exception,), {"__module__": "__main__"})
    assert snapshot_error(own("text")).to_payload()["stacktrace"] == "Own: text\n"


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

    def both() -> None:
        error = caught(because)
        error.__context__ = OSError("disk")
        error.__suppress_context__ = False
        raise error

    for work in (while_handling, instead, both):
        error = caught(work)
        assert snapshot_error(error).to_payload()["stacktrace"] == as_python_tells(error)


def test_a_cycle_of_causes_ends():
    """Exceptions can be wired in a ring."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert "direct cause" in snapshot_error(one).to_payload()["stacktrace"]


def test_of_a_long_chain_the_last_errors_are_told():
    """Eight causes back; and of errors that are wired in many ways, so many all together."""
    error = ValueError("first")
    for number in range(20):
        later = ValueError(str(number))
        later.__cause__ = error
        error = later
    trace = snapshot_error(error).to_payload()["stacktrace"]
    assert [line for line in trace.splitlines() if line.startswith("ValueError")] == [
        f"ValueError: {number}" for number in range(11, 20)
    ]
    group = BaseExceptionGroup("group", [error] * 8)
    assert snapshot_error(group).to_payload()["stacktrace"].count("ValueError: ") == 31


def test_a_long_text_is_cut_and_a_deep_trace_too():
    """The middle of a recursion says nothing new."""

    def down(levels: int) -> None:
        if levels == 0:
            raise ValueError("x" * 50_000)
        down(levels - 1)

    error = snapshot_error(caught(lambda: down(300)))
    assert len(error.message) < 11_000
    assert "(50000 characters)" in error.message
    assert snapshot_error(ValueError("x" * 10_000)).message == "x" * 10_000
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


def calls_of(result: dict) -> list[str]:
    """Return the functions that a recorded trace goes through, outermost first."""
    lines = result["stacktrace"].splitlines()
    return [line.rpartition(" in ")[2] for line in lines if line.startswith('  File "')]


def a_plain_function(t):
    """Return what calls a decorated function that fails."""
    return t.span("step")(fail)


def a_coroutine_function(t):
    """Return the same of a coroutine function."""

    @t.span("step")
    async def work() -> None:
        fail()

    return lambda: asyncio.run(work())


def a_generator(t):
    """Return the same of a generator, read through a stream and from another place."""

    @t.span("step")
    def work():
        yield 1
        fail()

    return prefactor.propagate(lambda: list(t.trace_stream(work())))


def an_async_generator(t):
    """Return the same of an async generator."""

    @t.span("step")
    async def work():
        yield 1
        fail()

    async def read() -> None:
        async for _ in work():
            pass

    return lambda: asyncio.run(read())


def a_block(t):
    """Return the same of a generator that is a block."""

    @t.span("step")
    @contextlib.contextmanager
    def work():
        yield
        fail()

    def enter() -> None:
        with work():
            pass

    return enter


def a_function_that_returns_a_coroutine(t):
    """Return the same of a function whose work is done later."""

    async def work() -> None:
        fail()

    @t.span("step")
    def begin():
        return work()

    return lambda: asyncio.run(begin())


def a_handler(t):
    """Return the same of a function that waits for delivery."""
    return t.span("step")(prefactor.flushed(fail))


@pytest.mark.parametrize(
    "shape",
    [
        a_plain_function,
        a_coroutine_function,
        a_generator,
        an_async_generator,
        a_block,
        a_function_that_returns_a_coroutine,
        a_handler,
    ],
)
def test_the_way_through_the_library_to_the_users_code_is_left_out(tracer, shape):
    """Of every shape of function, in its own span and in the one around it."""
    t = tracer()
    with pytest.raises(ValueError, match="of no use"), t.instance(), t.span("around"):
        shape(t)()
    for span in t.spans():
        calls = calls_of(span["result_payload"])
        assert calls[-1] == "fail"
        assert "prefactor_trace/_" not in span["result_payload"]["stacktrace"].replace("\\", "/")


def test_the_way_is_left_out_of_causes_too(tracer):
    """Each of them has a trace of its own."""
    t = tracer()
    search = t.span("search")(fail)

    @t.span("step")
    def because() -> None:
        try:
            search()
        except ValueError as error:
            raise KeyError("key") from error

    with pytest.raises(KeyError), t.instance():
        because()
    assert calls_of(t.one("step")["result_payload"]) == ["because", "fail", "because"]


def test_an_error_of_the_library_keeps_its_frames(tracer):
    """Also those that led on to where it arose."""
    t = tracer()

    @t.span("step")
    def misuse() -> None:
        t.span("x", ["no mapping"])

    with pytest.raises(UsageError), t.instance():
        misuse()
    calls = calls_of(t.one("step")["result_payload"])
    assert calls[:2] == ["misuse", "span"]
    assert calls[-1] == "check_mapping"

    @t.span("inner")
    def inner() -> None: ...

    with t.instance(on_terminate="raise") as run:
        run._terminate("policy")
        error = caught(inner)
    calls = [code.co_name for code, _ in snapshot_error(error).frames]
    assert type(error) is prefactor.PrefactorTerminated
    assert calls[:2] == ["caught", "_call"]
    assert calls[-1] == "_refuse_span"


def test_a_call_that_never_came_to_the_function_shows_where_it_was_made(tracer):
    """Or nothing at all would be left."""
    t = tracer()

    @t.span("step")
    def work(query: str) -> None: ...

    with pytest.raises(TypeError), t.instance():
        work()
    assert calls_of(t.one("step")["result_payload"]) == ["_call"]


def test_wrapt_is_left_out_where_it_is_written_in_python():
    """It is, where there is no compiled one for the machine."""
    program = """
        import prefactor_trace as prefactor
        from prefactor_trace._capture import snapshot_error

        prefactor.configure(local=True, enabled=True, offline=True)

        @prefactor.span
        def work():
            raise ValueError("why")

        try:
            work()
        except ValueError as error:
            while error.__traceback__.tb_frame.f_code.co_name == "<module>":
                error.__traceback__ = error.__traceback__.tb_next
            assert "wrapt" in error.__traceback__.tb_frame.f_globals["__name__"]
            print([code.co_name for code, _ in snapshot_error(error).frames])
    """
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(line[8:] for line in program.splitlines())],
        env={**os.environ, "WRAPT_DISABLE_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['work']\n", done.stderr


class BaseExceptionGroup(Exception):
    """A group as libraries have it before Python 3.11."""

    def __init__(self, message: str, exceptions: object) -> None:
        super().__init__(message)
        self.exceptions = exceptions


def test_a_group_tells_its_errors():
    """Each with its own trace and cause, numbered, and the first ones of many."""
    inner = BaseExceptionGroup("inner", [caught(fail)])
    try:
        raise ValueError("second") from caught(fail)
    except ValueError as error:
        second = error
    group = BaseExceptionGroup("outer", [inner, second, *map(ValueError, range(20))])
    trace = snapshot_error(group).to_payload()["stacktrace"]
    marks = ["outer", "- 1 -", "inner", "- 1.1 -", "of no use", "- 2 -", "of no use"]
    at = 0
    for mark in [*marks, "direct cause", "second", "- 8 -", "ValueError: 5\n", "and 14 more"]:
        at = trace.index(mark, at) + 1
    assert trace.count('raise ValueError("of no use")') == 2
    trace = snapshot_error(BaseExceptionGroup("eight", [KeyError()] * 8)).to_payload()["stacktrace"]
    assert (trace.count("KeyError"), trace.count("more")) == (8, 0)


def test_the_message_of_a_group_says_what_its_first_errors_are():
    """Where there is room for one line, the group's own text alone says only how many they are."""
    inner = BaseExceptionGroup("inner", [KeyError()])
    group = BaseExceptionGroup("outer", [inner, caught(fail), *map(ValueError, range(3))])
    message = snapshot_error(group).to_payload()["message"]
    kind = f"{__name__}.BaseExceptionGroup"
    assert message.endswith(
        f": {kind}: {inner}: KeyError; ValueError: of no use; ValueError: 0; and 2 more"
    )
    assert message.startswith(str(group))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no exception groups")
def test_a_group_of_pythons_own_tells_its_errors(tracer):
    """As a group of tasks raises it."""
    t = tracer()

    @t.span("search")
    async def search() -> None:
        fail()

    @t.span("step")
    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(search())

    with pytest.raises(ExceptionGroup), t.instance():  # noqa: F821
        asyncio.run(both())
    calls = calls_of(t.one("step")["result_payload"])
    assert (calls[0], calls[-2:]) == ("both", ["search", "fail"])


@pytest.mark.parametrize("given", [None, 7, ["no error"], [ValueError(), "no error"]])
def test_what_only_looks_like_a_group_is_an_error_like_others(given: object):
    """Its class may do anything."""
    assert snapshot_error(BaseExceptionGroup("text", given)).size == 0
    error = ValueError("text")
    error.exceptions = [KeyError()]  # type: ignore[attr-defined]
    assert snapshot_error(error).size == 0


def test_of_groups_in_groups_so_many_levels_are_told():
    """Eight below the outermost, and how many there would be more."""
    group = BaseExceptionGroup("innermost", [ValueError("x")])
    for number in range(20):
        group = BaseExceptionGroup(f"level {number}", [group])
    trace = snapshot_error(group).to_payload()["stacktrace"]
    assert ("level 11" in trace, "level 10" in trace) == (True, False)
    assert trace.count("and 1 more") == 1


def test_groups_of_groups_come_to_an_end():
    """Eight in each, eight deep, would be millions."""
    group = BaseExceptionGroup("leaf", [ValueError("x")] * 8)
    for _ in range(20):
        group = BaseExceptionGroup("more", [group] * 8)
    assert snapshot_error(group).to_payload()["stacktrace"].count("more\n") < 40


def test_lines_of_a_groups_errors_are_as_they_would_be_alone():
    """What looks for secrets in a text has to know them."""
    error = ValueError("-----BEGIN\nsecret\n-----END")
    trace = snapshot_error(BaseExceptionGroup("outer", [error])).to_payload()["stacktrace"]
    assert "".join(traceback.format_exception_only(type(error), error)) in trace


def test_a_text_may_be_of_a_class_of_the_agents():
    """Of such a one nothing is asked either."""

    class Text(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise AssertionError

        __format__ = __getitem__ = __len__  # type: ignore[assignment]

    class Telling(Exception):
        def __str__(self) -> str:
            return Text("what went wrong")

    message = snapshot_error(Telling()).to_payload()["message"]
    assert (message, type(message)) == ("what went wrong", str)
