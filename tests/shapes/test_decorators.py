"""Every kind of callable, decorated: it behaves as it did, and each call is one span."""

import asyncio
import concurrent.futures
import contextlib
import copy
import functools
import inspect
import multiprocessing
import pickle
import typing
from unittest import mock

import pytest

from prefactor_trace import current_span
from prefactor_trace.exceptions import UsageError
from tests.shapes import picklable
from tests.shapes.trees import parents


def names(t) -> list[str]:
    """Return the names of the spans, as they began."""
    return [span["schema_name"] for span in t.spans()]


FORMS = {
    "@span": lambda t: t.span,
    "@span()": lambda t: t.span(),
    '@span("x")': lambda t: t.span("x"),
    '@span(schema_name="x")': lambda t: t.span(schema_name="x"),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_spelling_fits_every_kind_of_function(tracer, form):
    """Functions, coroutine functions, generators, async generators and methods."""
    t = tracer()
    decorate = FORMS[form](t)

    def function(n):
        return n

    async def coroutine(n):
        return n

    def generator(n):
        yield n

    async def async_generator(n):
        yield n

    class Tool:
        @decorate
        def method(self, n):
            return n

    decorated = [decorate(one) for one in (function, coroutine, generator, async_generator)]
    for one, plain in zip(
        decorated, (function, coroutine, generator, async_generator), strict=True
    ):
        for question in (
            inspect.isfunction,
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        ):
            assert question(one) == question(plain)
        assert inspect.signature(one) == inspect.signature(plain)
        assert one.__wrapped__ is plain
    with t.instance():
        assert decorated[0](1) == 1
        assert await decorated[1](2) == 2
        assert list(decorated[2](3)) == [3]
        assert [n async for n in decorated[3](4)] == [4]
        assert Tool().method(5) == 5
    assert [span["payload"] for span in t.spans()] == [{"n": n} for n in range(1, 6)]
    assert [name == "x" for name in names(t)] == ['"x"' in form] * 5


def test_methods_that_python_makes_the_class_ones(tracer):
    """Though nobody wrote so above them."""
    t = tracer()

    class Tool:
        @t.span("subclass")
        def __init_subclass__(cls, **given):
            cls.given = given

        @t.span("item")
        def __class_getitem__(cls, key):
            return cls, key

    with t.instance():

        class Better(Tool, of=3):
            pass

        assert Better.given == {"of": 3}
        assert Tool["a"] == (Tool, "a")
    assert [span["payload"] for span in t.spans()] == [{"of": 3}, {"key": "a"}]


def test_methods_of_both_orders_are_inherited(tracer):
    """Called on class and object, through a subclass and `super`: one span each."""
    t = tracer()

    class Tool:
        @t.span("static")
        @staticmethod
        def static_above(n):
            return n

        @staticmethod
        @t.span("static")
        def static_below(n):
            return n

        @t.span("class")
        @classmethod
        def class_above(cls, n):
            return cls.__name__, n

        @classmethod
        @t.span("class")
        def class_below(cls, n):
            return cls.__name__, n

        @t.span("method")
        def method(self, n):
            return n

    class Better(Tool):
        def method(self, n):
            return super().method(n) + 1

        @classmethod
        def class_above(cls, n):
            return super().class_above(n)

    with t.instance():
        for owner in (Better, Better()):
            assert owner.static_above(1) == owner.static_below(1) == 1
            assert owner.class_above(1) == owner.class_below(1) == ("Better", 1)
        assert Better().method(1) == 2
    assert names(t) == ["static", "static", "class", "class"] * 2 + ["method"]
    assert [span["payload"] for span in t.spans()] == [{"n": 1}] * 9


def test_a_property_is_a_span_when_it_is_read(tracer):
    """In both orders, with its setter and documentation."""
    t = tracer()

    class Tool:
        @t.span("above")
        @property
        def above(self):
            """What it is."""
            return 1

        @property
        @t.span("below")
        def below(self):
            return 2

        def _set(self, value):
            self.value = value

        both = t.span("both")(property(lambda self: self.value, _set))

    with t.instance():
        tool = Tool()
        assert (tool.above, tool.below) == (1, 2)
        tool.both = 3
        assert tool.both == 3
    assert Tool.above.__doc__ == "What it is."
    assert names(t) == ["above", "below", "both", "both"]
    assert t.spans()[2]["payload"]["value"] == 3


def test_whatever_can_be_called_gets_a_name(tracer):
    """Partials, objects, mocks and builtins: nothing is raised after decoration."""
    t = tracer()

    class Tool:
        def __call__(self, n):
            return n

    def add(a, b):
        return a + b

    fake = mock.Mock(return_value=7)
    with t.instance():
        assert t.span(functools.partial(add, 1))(2) == 3
        assert t.span(Tool())(4) == 4
        assert t.span(fake)(5) == 7
        assert t.span(mock.MagicMock(return_value=8))(6) == 8
        assert t.span(len)("abc") == 3
        assert t.span("abc".upper)() == "ABC"
    fake.assert_called_once_with(5)
    prefix = "test_whatever_can_be_called_gets_a_name.<locals>."
    expected = [f"{prefix}add", f"{prefix}Tool", "Mock", "MagicMock", "len", "str.upper"]
    assert names(t) == expected


async def test_async_mocks_and_partials_are_awaited_inside(tracer):
    """The span lasts until the result is there."""
    t = tracer()

    async def add(a, b):
        await asyncio.sleep(0)
        return a + b

    with t.instance():
        assert await t.span("mock")(mock.AsyncMock(return_value=1))() == 1
        assert await t.span("partial")(functools.partial(add, 1))(2) == 3
    assert [span["result_payload"] for span in t.spans()] == [{"result": 1}, {"result": 3}]


def test_cached_functions_stay_cached(tracer):
    """With the cache inside and outside of the span."""
    t = tracer()
    calls = []

    @t.span("above")
    @functools.cache
    def above(n):
        calls.append(n)
        return n

    @functools.cache
    @t.span("below")
    def below(n):
        return n

    with t.instance():
        assert [above(1), above(1), below(1), below(1)] == [1] * 4
    assert calls == [1]
    assert above.cache_info().hits == 1
    assert names(t) == ["above", "above", "below"]


def test_single_dispatch_goes_by_the_type(tracer):
    """With the decorator on the dispatching function, or on one of its parts."""
    t = tracer()

    @t.span("any")
    @functools.singledispatch
    def show(value):
        return "any"

    @show.register
    @t.span("int")
    def _(value: int):
        return "int"

    with t.instance():
        assert (show("a"), show(1)) == ("any", "int")
    assert parents(t) == {"any": [None, None], "int": ["any"]}


@pytest.mark.parametrize("decorator", ["span", "instance"])
@pytest.mark.parametrize("kind", [functools.cached_property, functools.singledispatchmethod])
def test_what_holds_a_function_is_decorated_below(tracer, decorator, kind):
    """Above, with parentheses or without, it is refused with the words that help."""
    decorate = getattr(tracer(), decorator)
    told = rf"@{decorator} cannot decorate a {kind.__name__}: .*@{decorator} below the decorator"
    for form in (decorate, decorate("x")):
        with pytest.raises(UsageError, match=told):
            form(kind(lambda self: None))


def test_methods_that_are_cached_or_go_by_the_type_are_spans(tracer):
    """With the decorator on the function that they hold."""
    t = tracer()

    class Agent:
        @functools.cached_property
        @t.span("made")
        def once(self):
            return 3

        @functools.singledispatchmethod
        @t.span("any")
        def show(self, value):
            return "any"

        @show.register
        @t.span("int")
        def _(self, value: int):
            return "int"

    with t.instance():
        agent = Agent()
        assert (agent.once, agent.once, agent.show("a"), agent.show(1)) == (3, 3, "any", "int")
    assert names(t) == ["made", "any", "int"]


def test_overloads_are_kept(tracer):
    """The implementation is decorated, what the overloads say stands beside it."""
    t = tracer()

    @typing.overload
    def twice(value: int) -> int: ...
    @typing.overload
    def twice(value: str) -> str: ...
    @t.span("twice")
    def twice(value):
        return value * 2

    with t.instance():
        assert (twice(1), twice("a")) == (2, "aa")
    assert typing.get_type_hints(twice) == {}
    assert names(t) == ["twice", "twice"]


def test_the_same_decorator_twice_is_one_span(tracer):
    """Also around a static method, and with an instance between; other names are nested."""
    t = tracer()

    def step():
        return current_span()

    class Tool:
        @t.span("tool")
        @staticmethod
        @t.span("tool")
        def use():
            return 1

    with t.instance():
        t.span("a")(t.span("a")(step))()
        t.span("b")(t.instance(t.span("b")(step)))()
        t.span("c")(t.span("d")(step))()
        t.span(t.span(step))()
        Tool.use()
    own = "test_the_same_decorator_twice_is_one_span.<locals>.step"
    assert parents(t) == {
        "a": [None],
        "b": [None],
        "c": [None],
        "d": ["c"],
        own: [None],
        "tool": [None],
    }
    assert len(t.items("register")) == 2


@pytest.mark.parametrize("decorator", ["span", "instance"])
def test_a_class_is_refused_when_it_is_decorated(tracer, decorator):
    """With a sentence that says what to decorate."""
    with pytest.raises(TypeError, match="decorate its methods instead"):
        getattr(tracer(), decorator)(type("Tool", (), {}))


@pytest.mark.parametrize("kind", ["plain", "coroutine", "generator"])
async def test_no_keyword_is_eaten(tracer, kind):
    """Not even those that the wrapper itself uses."""
    t = tracer()
    given = {name: n for n, name in enumerate(["args", "kwargs", "instance", "wrapped"])}
    given |= {name: n for n, name in enumerate(["config", "name", "self", "cls", "calls", "node"])}

    def plain(**values):
        return values

    async def coroutine(**values):
        return values

    def generator(**values):
        yield values

    for decorate in (t.span("step"), t.instance("agent")):
        if kind == "plain":
            assert decorate(plain)(**given) == given
        elif kind == "coroutine":
            assert await decorate(coroutine)(**given) == given
        else:
            assert next(decorate(generator)(**given)) == given


def test_ignored_arguments_are_not_recorded(tracer):
    """By position, by name and among the rest; a name that is none is refused."""
    t = tracer()

    @t.span("step", ignore=("key", "rest"))
    def step(query, key=None, *rest, **more):
        return query

    with t.instance():
        step("a", "secret", "secret", n=1)
        step("b", key="secret")
        t.span("open", ignore=["token"])(lambda **more: None)(token="secret")
    payloads = [span["payload"] for span in t.spans()]
    assert payloads == [{"query": "a", "n": 1}, {"query": "b"}, {}]
    with pytest.raises(UsageError, match="ignore names 'kye', which is no argument of"):
        t.span("step", ignore=("kye",))(lambda key: None)
    with pytest.raises(UsageError, match="ignore takes names such as"):
        t.span("step", ignore="key")(lambda key: None)


def test_decorated_functions_are_pickled_and_copied_by_name():
    """Functions of a module, methods of objects and of classes."""
    for one in (picklable.double, picklable.Tool.of_class):
        assert pickle.loads(pickle.dumps(one))(2) == one(2)
    assert pickle.loads(pickle.dumps(picklable.double)) is picklable.double
    assert pickle.loads(pickle.dumps(picklable.Tool().use))(3) == 3
    assert copy.copy(picklable.double) is copy.deepcopy(picklable.double) is picklable.double


def test_decorated_functions_run_in_a_spawned_pool(monkeypatch):
    """The child process imports them, and finds its own tracer."""
    monkeypatch.setenv("PREFACTOR_ENABLED", "false")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(picklable.double, [1, 2])) == [2, 4]


async def test_blocks_can_be_put_on_stacks(tracer):
    """`ExitStack` and `AsyncExitStack` leave them in turn, with the exception."""
    t = tracer()
    with pytest.raises(KeyError), contextlib.ExitStack() as stack:  # noqa: PT012
        stack.enter_context(t.instance())
        stack.enter_context(t.span("a"))
        stack.enter_context(t.span("b"))
        raise KeyError
    async with contextlib.AsyncExitStack() as async_stack:
        await async_stack.enter_async_context(t.instance())
        await async_stack.enter_async_context(t.span("c"))
        async_stack.enter_context(t.span("d"))
    assert current_span() is None
    assert parents(t) == {"a": [None], "b": ["a"], "c": [None], "d": ["c"]}
    assert [span["status"] for span in t.spans()] == ["failed"] * 2 + ["complete"] * 2


async def test_what_is_raised_goes_on_as_it_is(tracer):
    """Cancellation is cancelled; whatever else is raised has failed; one frame is added."""
    t = tracer()
    errors = [ValueError("v"), KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError()]

    @t.span("step")
    def step(n):
        raise errors[n]

    @t.span("later")
    async def later(n):
        raise errors[n]

    with t.instance():
        for n, error in enumerate(errors):
            with pytest.raises(type(error)) as caught:
                step(n)
            assert caught.value is error
            error.__traceback__ = None
            with pytest.raises(type(error)) as caught:
                await later(n)
            assert caught.value is error
    found = [(span["status"], span["result_payload"].get("error_type")) for span in t.spans()[:-2]]
    assert found == [
        (status, kind)
        for kind in ("ValueError", "KeyboardInterrupt", "SystemExit")
        for status in ("failed", "failed")
    ]
    assert [span["status"] for span in t.spans()[-2:]] == ["cancelled"] * 2


async def test_a_coroutine_takes_its_arguments_when_it_is_called(tracer):
    """What is changed before it is awaited does not change the trace."""
    t = tracer()

    @t.span("step")
    async def step(items):
        return len(items)

    with t.instance():
        items = [1, 2]
        coroutine = step(items)
        assert coroutine.__qualname__.endswith("step")
        items.clear()
        assert await coroutine == 0
    assert t.one()["payload"] == {"items": [1, 2]}


def test_the_url_of_a_run(tracer):
    """On the platform, or in the viewer of this machine."""
    run = tracer(api_url="https://example.com/").instance()
    assert run.url == f"https://example.com/agent_instances/{run.id}"
    local = tracer(local=True).instance()
    assert local.url == f"http://127.0.0.1:4590/agent_instances/{local.id}"
