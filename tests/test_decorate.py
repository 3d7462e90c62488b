"""Decorated functions: each call is a span or an instance, and the function stays what it was."""

import functools
import inspect

import pytest

from prefactor_trace.exceptions import UsageError


def test_each_way_to_write_it_gives_its_name(tracer):
    """Without a name it is the qualified name of the function."""
    t = tracer()

    def work() -> None: ...

    with t.instance():
        for decorate in (t.span, t.span(), t.span("named"), t.span(schema_name="by keyword")):
            decorate(work)()
    qualified = work.__qualname__
    names = [span["schema_name"] for span in t.spans()]
    assert names == [qualified, qualified, "named", "by keyword"]


def test_what_is_callable_can_be_decorated(tracer):
    """Bound methods, builtins, partials and objects that can be called."""
    t = tracer()

    class Tool:
        def __call__(self, n: int) -> int:
            return n

        def use(self, n: int, m: int) -> int:
            return n

    with t.instance():
        t.span("bound")(Tool().use)(1, 2)
        t.span("builtin")(len)([1])
        t.span("partial")(functools.partial(Tool().use, 3))(4)
        t.span("object")(Tool())(5)
    payloads = {span["schema_name"]: span["payload"] for span in t.spans()}
    assert payloads["bound"] == {"n": 1, "m": 2}
    assert payloads["builtin"] == {"obj": [1]}
    assert payloads["partial"] == {"m": 4}
    assert payloads["object"] == {"n": 5}


def test_a_decorated_function_looks_like_itself(tracer):
    """Name, documentation and signature are what tools and frameworks read."""

    def search(query: str, *, k: int = 5) -> list[str]:
        """Search."""
        return []

    for decorated in (tracer().span(search), tracer().instance(search)):
        assert (decorated.__name__, decorated.__doc__) == ("search", "Search.")
        assert inspect.signature(decorated) == inspect.signature(search)
        assert decorated.__wrapped__ is search


@pytest.mark.parametrize("decorator", ["span", "instance"])
def test_a_tool_that_a_framework_made_of_a_function_is_refused(tracer, decorator: str):
    """Where it cannot be called, with the words that help."""

    class StructuredTool:
        def __init__(self, function) -> None:
            self.func = function

    told = rf"@{decorator} cannot decorate a .*StructuredTool: .*@{decorator} below the decorator"
    with pytest.raises(UsageError, match=told):
        getattr(tracer(), decorator)("name")(StructuredTool(print))


@pytest.mark.parametrize("decorator", ["span", "instance"])
@pytest.mark.parametrize("wrong", [int, property(), 7])
def test_what_is_no_function_is_refused(tracer, decorator: str, wrong: object):
    """A class says to decorate its methods."""
    with pytest.raises(UsageError, match=f"@{decorator} .*(its methods|decorates functions)"):
        getattr(tracer(), decorator)("name")(wrong)


def test_a_decorator_with_a_payload_is_refused(tracer):
    """It would be lost: each call's arguments are its payload."""
    with pytest.raises(UsageError, match="its arguments"):
        tracer().span("step", {"n": 1})(len)


def test_a_run_for_each_call_has_no_id_of_its_own(tracer):
    """One id is one run."""
    t = tracer()
    with pytest.raises(UsageError, match="takes no id"):
        t.instance(id=t._new_id())(lambda: None)
