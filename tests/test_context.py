"""Which span and instance the running code is in."""

import _thread
import asyncio
import contextlib
import contextvars
import threading

import pytest

from prefactor_trace import current_instance, current_span, untraced
from prefactor_trace._context import current


def test_outside_of_everything_there_is_nothing():
    """Code that nobody traces is in no span and no instance."""
    assert current_span() is None
    assert current_instance() is None


def test_in_an_untraced_block_there_is_nothing(tracer):
    """Whatever is around it."""
    t = tracer()
    with t.instance(), t.span("around"), untraced():
        assert (current_span(), current_instance()) == (None, None)


def test_blocks_set_and_put_back(tracer):
    """Inside a block it is current, after it the one around it is."""
    t = tracer()
    with t.instance() as run:
        assert (current_span(), current_instance()) == (None, run)
        with t.span("a") as outer:
            with t.span("b") as inner:
                assert (current_span(), current_instance()) == (inner, run)
            assert current_span() is outer
        assert current_span() is None
    assert current_instance() is None


def test_an_inner_instance_hides_the_span_around_it(tracer):
    """A run inside of a run begins at its own top."""
    t = tracer()
    with t.instance(), t.span("around") as around:
        with t.instance() as inner:
            assert (current_span(), current_instance()) == (None, inner)
        assert current_span() is around


def test_an_exception_puts_back_too(tracer):
    """However a block is left, the context is as before."""
    t = tracer()
    try:
        with t.instance(), t.span("a"):
            raise KeyError
    except KeyError:
        pass
    assert (current_span(), current_instance()) == (None, None)


def test_a_started_span_does_not_become_current(tracer):
    """It is ended elsewhere, so it cannot stand for this code."""
    t = tracer()
    with t.instance():
        span = t.start_span("callback")
        assert current_span() is None
        span.complete()


async def test_tasks_do_not_see_each_other(tracer):
    """Each task has a context of its own, begun as a copy of where it was made."""
    t = tracer()
    inside = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

    async def step(name: str) -> None:
        async with t.span(name) as span:
            if inside is not None:
                await inside.wait()
            await asyncio.sleep(0)
            assert current_span() is span

    with t.instance():
        await asyncio.gather(step("a"), step("b"))
        assert current_span() is None


def test_a_block_that_ends_in_another_context_leaves_that_one_alone(tracer):
    """A generator closed from elsewhere must not take away what is current there."""
    t = tracer()

    def steps():
        with t.span("in a generator"):
            yield

    generator = steps()
    with t.instance():
        contextvars.copy_context().run(next, generator)
        with t.span("elsewhere") as elsewhere:
            generator.close()
            assert current_span() is elsewhere


def test_a_block_is_left_in_a_context_that_was_copied_inside_of_it(tracer):
    """The code there is outside again, as where the block was entered."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        block = t.span("block")
        block.__enter__()
        copied = contextvars.copy_context()
        copied.run(block.__exit__, None, None, None)
        assert copied.run(current_span) is outer
        assert current_span() is outer


@pytest.mark.parametrize("has_token", [False, True])
@pytest.mark.parametrize("make", ["span", "instance"])
def test_a_block_is_left_even_if_what_it_replaced_cannot_be_put_back(tracer, make, has_token):
    """As when a signal handler leaves it that came between two steps of ours."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        block = getattr(t, make)("block")
        block.__enter__()
        current.reset(block._token)
        current.set(block)
        if not has_token:
            block._token = None
        block.__exit__(None, None, None)
        assert current.get() is (outer if has_token else None)
    assert block.status == "complete"


def parents_of(t):
    """Return the name of each span and that of its parent, in the order of their beginning."""
    spans = t.spans()
    names = {span["id"]: span["schema_name"] for span in spans}
    return [(span["schema_name"], names.get(span.get("parent_span_id"))) for span in spans]


def test_a_generator_read_in_the_making_of_a_block_is_no_block(tracer):
    """Its reader is not inside of it, though contextlib runs them both."""
    t = tracer()

    @t.span("decorated")
    def decorated():
        yield 1
        yield 2

    def plain():
        with t.span("plain"):
            yield 1

    @contextlib.contextmanager
    def block():
        for _ in decorated():
            with t.span("reads decorated"):
                pass
        for _ in plain():
            with t.span("reads plain"):
                pass
        begun = decorated()
        next(begun)
        yield
        begun.close()

    with t.instance(), block(), t.span("in block"):
        pass
    assert parents_of(t) == [
        ("decorated", None),
        ("reads decorated", None),
        ("reads decorated", None),
        ("plain", None),
        ("reads plain", None),
        ("decorated", None),
        ("in block", None),
    ]


def test_a_block_of_blocks_is_one(tracer):
    """Also where its generator hands on to another one, or is decorated."""
    t = tracer()

    def inner():
        with t.span("handed on"):
            yield

    @contextlib.contextmanager
    def hands_on():
        yield from inner()

    @contextlib.contextmanager
    @t.span("decorated")
    def decorated():
        with hands_on():
            yield

    with t.instance(), decorated(), t.span("in block"):
        pass
    assert parents_of(t) == [
        ("decorated", None),
        ("handed on", "decorated"),
        ("in block", "handed on"),
    ]


@pytest.mark.parametrize("is_decorated", [True, False])
def test_a_block_that_a_generator_enters_counts_while_that_runs(tracer, is_decorated):
    """Whatever makes the block: its reader is inside of neither."""
    t = tracer()

    def transaction():
        with t.span("transaction"):
            yield

    if is_decorated:
        transaction = t.span("around")(transaction)
    transaction = contextlib.contextmanager(transaction)

    def steps():
        with contextlib.ExitStack() as stack, transaction():
            stack.enter_context(transaction())
            with t.span("step"):
                pass
            yield
            with t.span("step"):
                pass

    with t.instance():
        begun = steps()
        next(begun)
        with t.span("reader"):
            pass
        assert list(begun) == []
    found = [pair for pair in parents_of(t) if pair[0] in ("step", "reader")]
    assert found == [("step", "transaction"), ("reader", None), ("step", "transaction")]


@contextlib.asynccontextmanager
async def transaction(t):
    """A block that is made of a generator."""
    async with t.span("transaction"):
        yield


class Transaction:
    """A block of a user's own that holds a span."""

    def __init__(self, t):
        self._span = t.span("transaction")

    def __enter__(self):
        self._span.__enter__()
        return self

    def __exit__(self, *error):
        return self._span.__exit__(*error)

    async def __aenter__(self):
        await self._span.__aenter__()
        return self

    async def __aexit__(self, *error):
        return await self._span.__aexit__(*error)


IN_A_TRANSACTION = [
    ("transaction", None),
    ("step", "transaction"),
    ("reader", None),
    ("step", "transaction"),
]


@pytest.mark.parametrize("make_block", [transaction, Transaction])
async def test_a_block_that_an_async_generator_enters_counts_while_that_runs(tracer, make_block):
    """The same of async ones."""
    t = tracer()

    async def steps():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(make_block(t))
            with t.span("step"):
                pass
            yield
            with t.span("step"):
                pass

    async with t.instance():
        begun = steps()
        await begun.__anext__()
        with t.span("reader"):
            pass
        assert [one async for one in begun] == []
    assert parents_of(t) == IN_A_TRANSACTION


def test_a_class_that_holds_a_span_counts_in_the_generator_that_enters_it(tracer):
    """Not for whoever reads the generator."""
    t = tracer()

    def steps():
        with Transaction(t):
            with t.span("step"):
                pass
            yield
            with t.span("step"):
                pass

    with t.instance():
        begun = steps()
        next(begun)
        with t.span("reader"):
            pass
        assert list(begun) == []
    assert parents_of(t) == IN_A_TRANSACTION


async def test_an_async_generator_read_in_the_making_of_a_block_is_no_block(tracer):
    """What reads its items, and then makes the block, is not inside of it."""
    t = tracer()

    async def items():
        with t.span("in items"):
            yield 1
            yield 2

    @contextlib.asynccontextmanager
    async def block():
        begun = items()
        async for _ in begun:
            with t.span("reads"):
                pass
            break
        yield
        await begun.aclose()

    async with t.instance(), block():
        with t.span("in block"):
            pass
    assert parents_of(t) == [("in items", None), ("reads", None), ("in block", None)]


def test_a_generator_may_be_run_by_no_code_of_python(tracer):
    """As by a thread that has nothing else to do."""
    t = tracer()
    is_over = threading.Event()

    @t.instance("agent")
    def agent():
        with t.span("step"):
            yield
        is_over.set()

    _thread.start_new_thread(list, (agent(),))
    assert is_over.wait(20)
    assert t.one("step")["status"] == "complete"


async def test_a_span_that_nobody_left_is_over_with_the_block_of_its_run(tracer):
    """As one that an alarm interrupted; tasks that began inside of it stay in it."""
    t = tracer()
    go_on = asyncio.Event()

    async def work():
        await go_on.wait()
        with t.span("task"):
            pass

    with t.instance() as first:
        t.span("never left").__enter__()
        task = asyncio.create_task(work())
    with t.span("outside"):
        assert current_instance() is not first
    with t.instance() as second, t.span("inside"):
        assert current_instance() is second
    assert current_span() is None
    go_on.set()
    await task
    assert parents_of(t) == [
        ("never left", None),
        ("outside", None),
        ("inside", None),
        ("task", "never left"),
    ]


def test_a_run_that_is_finished_by_hand_goes_on_to_the_end_of_its_block(tracer):
    """Spans stay where the code is."""
    t = tracer()
    with t.instance() as run, t.span("outer"):
        run.finish()
        with t.span("inner"):
            pass
    assert parents_of(t) == [("outer", None), ("inner", "outer")]


def test_runs_may_overlap(tracer):
    """One that ends leaves the others, and the generators that go on, where they are."""
    t = tracer()

    def agent(name):
        with t.instance(name):
            yield
            with t.span(f"of {name}"):
                pass
            yield

    first, second = agent("a"), agent("b")
    next(first)
    next(second)
    assert [list(first), list(second)] == [[None], [None]]
    a, b = t.instance("c"), t.instance("d")
    a.__enter__()
    b.__enter__()
    a.__exit__(None, None, None)
    with t.span("of d"):
        pass
    b.__exit__(None, None, None)
    runs = {run["id"]: run["agent_id"] for run in t.items("agent_instances/register")}
    of = {span["schema_name"]: runs[span["agent_instance_id"]] for span in t.spans()}
    assert of == {"of a": "a", "of b": "b", "of d": "d"}


def test_a_generator_that_is_read_on_after_its_run_stays_in_it(tracer):
    """Decorated or not: what it entered goes on counting while it runs."""
    t = tracer()

    def steps():
        with t.span("outer"):
            yield 1
            with t.span("inner"):
                pass
            yield 2

    with t.instance():
        begun = steps()
        next(begun)
    assert list(begun) == [2]
    assert parents_of(t) == [("outer", None), ("inner", "outer")]
