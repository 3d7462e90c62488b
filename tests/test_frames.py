"""Whose code a frame of the stack runs, and where the user called."""

import asyncio
import functools
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import wrapt.wrappers

from prefactor_trace import Tracer, _calls, _record
from prefactor_trace._frames import Place, find_place, is_interactive, is_ours, leads_on
from prefactor_trace.cli import demo_agent


def frame_in(module):
    """Return a frame of code that belongs to a module."""
    return eval("sys._getframe()", dict(vars(module), sys=sys))


def test_the_library_and_wrapt_are_told_from_the_user():
    """The agent of the demo is written like a user's."""
    assert is_ours(frame_in(_record))
    assert is_ours(frame_in(wrapt.wrappers))
    assert not is_ours(sys._getframe())
    assert not is_ours(frame_in(demo_agent))


def test_what_calls_the_users_code_leads_on():
    """Not what works for the library itself."""
    assert leads_on(frame_in(_calls))
    assert leads_on(frame_in(wrapt.wrappers))
    assert not leads_on(frame_in(_record))


# A function of the library, as its frames go: it was called for `wrapped`, and looks for a place.
names = {**vars(_calls), "find_place": find_place, "sys": sys}
exec("def find(wrapped, keep=id):\n    place = find_place(sys._getframe())\n"
     "    keep(place)\n    return place", names)  # fmt: skip
find = names["find"]


def decorated(query: str = "") -> None:
    """Stand for a function of the user's."""


DEFINED = Place(__file__, decorated.__code__.co_firstlineno, is_definition=True)


def test_a_place_is_where_the_user_called():
    """Directly, and through what calls on behalf of its own caller."""
    line = inspect.currentframe().f_lineno  # type: ignore[union-attr]
    direct = find(decorated)
    through = functools.singledispatch(find)(decorated)
    assert [direct, through] == [
        Place(__file__, line + 1, is_definition=False),
        Place(__file__, line + 2, is_definition=False),
    ]


async def test_what_a_thread_or_an_event_loop_calls_is_where_it_is_defined():
    """Whoever has started the loop is not its caller."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(find, decorated).result() == DEFINED
    found: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(find, decorated, found.set_result)
    assert await found == DEFINED


class Tool:
    """A tool that is an object."""

    def __call__(self) -> None:
        """Do nothing."""

    def method(self) -> None:
        """Do nothing."""


def generate():
    """Stand for a generator of the user's."""
    yield


async def generate_async():
    """Stand for an async generator of the user's."""
    yield


def strange(attribute):
    """Return an object that may not be asked for an attribute."""

    def refuse(self):
        raise RuntimeError

    return type("Strange", (), {attribute: property(refuse)})()


@pytest.mark.parametrize(
    ("called", "code"),
    [
        (functools.partial(decorated, "a"), decorated.__code__),
        (functools.lru_cache(decorated), decorated.__code__),
        (functools.partial(functools.wraps(decorated)(lambda: None)), decorated.__code__),
        (Tool(), Tool.__call__.__code__),
        (Tool().method, Tool.method.__code__),
        (generate(), generate.__code__),
        (generate_async(), generate_async.__code__),
        (len, None),
        (strange("__wrapped__"), None),
        (strange("__code__"), None),
    ],
)
def test_a_definition_is_found_below_decorators(called, code):
    """What was not written in Python has none."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(find, called).result()
    line = code and code.co_firstlineno
    assert found == (code and Place(__file__, line, is_definition=True))


def test_what_is_said_stands_at_the_users_own_line():
    """Not at one of the library that was called on the way."""
    tracer = Tracer(enabled=False)
    tracer.declare("step", title="a")
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    place, run = tracer._registry._places["span type", "step"][1], tracer.instance()
    assert place == f"{__file__}:{line}"
    assert run._options.source == __file__


@pytest.mark.parametrize(
    ("path", "interactive"),
    [("<stdin>:1", True), ("/tmp/ipykernel_7/12.py:3", True), ("/src/agent.py:3", False)],
)
def test_prompts_and_notebooks_are_told_from_files(path: str, interactive: bool):
    """There people say a thing again, and otherwise."""
    assert is_interactive(path) is interactive


def test_a_cell_that_is_run_again_may_say_something_else():
    """Its name is another each time."""
    tracer = Tracer(enabled=False)
    for number, title in enumerate(("a", "b")):
        code = compile(f"declare('step', title={title!r})", f"/tmp/ipykernel_1/{number}.py", "exec")
        exec(code, {"declare": tracer.declare})
    assert tracer._registry._span_types["step"].title == "b"
