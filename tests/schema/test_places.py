"""Where in the user's code something was said."""

import inspect

import pytest

from prefactor_trace import Tracer
from prefactor_trace._schema.places import is_interactive


def test_a_place_is_the_users_own_line():
    """Not one of the library that was called on the way."""
    tracer = Tracer(enabled=False)
    tracer.declare("step", title="a")
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]
    place, source = tracer._registry._places["span type", "step"][1], tracer.instance()
    assert place == f"{__file__}:{line}"
    assert source._options.source == __file__


@pytest.mark.parametrize(
    ("place", "interactive"),
    [("<stdin>:1", True), ("/tmp/ipykernel_7/12.py:3", True), ("/src/agent.py:3", False)],
)
def test_prompts_and_notebooks_are_told_from_files(place: str, interactive: bool):
    """There people say a thing again, and otherwise."""
    assert is_interactive(place) is interactive


def test_a_cell_that_is_run_again_may_say_something_else():
    """Its name is another each time."""
    tracer = Tracer(enabled=False)
    for number, title in enumerate(("a", "b")):
        code = compile(f"declare('step', title={title!r})", f"/tmp/ipykernel_1/{number}.py", "exec")
        exec(code, {"declare": tracer.declare})
    assert tracer._registry._span_types["step"].title == "b"
