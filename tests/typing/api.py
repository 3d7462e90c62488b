"""What type checkers must make of a user's code; read by mypy and pyright, never run."""

# ruff: noqa: D102, D103

import contextlib
import datetime
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from typing import Any, overload

from typing_extensions import assert_type

import prefactor_trace as prefactor
from prefactor_trace.receipts import Receipt, Stats


@prefactor.span
def bare(query: str, k: int = 5) -> list[str]:
    return [query] * k


@prefactor.span()
def empty(query: str) -> int:
    return len(query)


@prefactor.span("tool_call", title="Search", risk={"action": {}})
async def named(query: str) -> bytes:
    return query.encode()


@prefactor.instance
def run(question: str) -> str:
    return question


@prefactor.instance("agent", version="1.0", purpose="eval")
async def run_later(question: str) -> str:
    return question


class Tools:
    @prefactor.span
    def method(self, n: int) -> str:
        return str(n)

    @prefactor.span("static")
    @staticmethod
    def static(n: int) -> str:
        return str(n)

    @staticmethod
    @prefactor.span
    def static_below(n: int) -> str:
        return str(n)

    @prefactor.span("later")
    async def later(self, n: int) -> str:
        return str(n)

    @property
    @prefactor.span
    def size(self) -> int:
        return 1

    @classmethod
    @prefactor.span("class")
    def of_class(cls, n: int) -> str:
        return str(n)


@prefactor.span("items", ignore=("n",), reduce=len)
def items(n: int) -> Iterator[str]:
    yield str(n)


@prefactor.span
def talk(n: int) -> Generator[int, str, float]:
    yield len(str(n))
    return 1.0


@contextlib.contextmanager
@prefactor.span("session")
def session(n: int) -> Generator[int, None, None]:
    yield n


@prefactor.span
async def items_later(n: int) -> AsyncIterator[str]:
    yield str(n)


@overload
def twice(value: int) -> int: ...
@overload
def twice(value: str) -> str: ...
@prefactor.span
def twice(value: Any) -> Any:
    return value * 2


async def shapes(numbers: list[int], chunks: AsyncIterator[bytes]) -> None:
    assert_type(items(1), Iterator[str])
    assert_type(items_later(1), AsyncIterator[str])
    assert_type(talk(1), Generator[int, str, float])
    with session(1) as n:
        assert_type(n, int)
    assert_type(twice(1), int)
    assert_type(twice("a"), str)
    items("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    items_later()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    twice(b"a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

    assert_type(prefactor.trace_stream(numbers), Generator[int, Any, Any])
    assert_type(prefactor.trace_stream(chunks, "body"), AsyncGenerator[bytes, Any])
    prefactor.trace_stream(numbers, reduce=sum)
    prefactor.trace_stream(7)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

    assert_type(prefactor.propagate(bare)("a"), list[str])
    prefactor.propagate(bare)(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with prefactor.untraced(), prefactor.span("step", parent=prefactor.ROOT) as span:
        span.complete(at=datetime.datetime.now(datetime.timezone.utc))
        span.fail(at="now")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def use(tools: Tools, callback: Callable[[str], int] = empty) -> None:
    assert_type(bare("a", k=1), list[str])
    assert_type(empty("a"), int)
    later: Coroutine[Any, Any, bytes] = named("a")
    assert_type(await later, bytes)
    assert_type(run("a"), str)
    assert_type(await run_later("a"), str)
    assert_type(tools.method(1), str)
    assert_type(Tools.of_class(1), str)
    assert_type(Tools.static(1), str)
    assert_type(tools.static_below(1), str)
    assert_type(await tools.later(1), str)
    assert_type(tools.size, int)

    bare(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bare("a", k="b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bare("a", n=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    empty(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await named(b"a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await run_later(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tools.method("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tools.static("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Tools.of_class("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def blocks() -> None:
    with prefactor.instance("agent") as instance, prefactor.span("step", {"n": 1}) as span:
        assert_type(instance, prefactor.Instance)
        assert_type(span, prefactor.Span)
    async with prefactor.instance() as instance, prefactor.span("step", parent=span) as span:
        assert_type(instance, prefactor.Instance)
        assert_type(span, prefactor.Span)
    assert_type(span.id, str)
    assert_type(span.parent_id, str | None)
    assert_type(prefactor.start_span("step"), prefactor.Span)
    assert_type(prefactor.current_span(), prefactor.Span | None)
    assert_type(prefactor.current_instance(), prefactor.Instance | None)
    assert_type(prefactor.configure(api_token="t"), prefactor.Tracer)
    assert_type(prefactor.flush(), Receipt)
    assert_type(prefactor.stats(), Stats)

    prefactor.configure(api_tokn="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    prefactor.Tracer(local="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    given: dict[str, Any] = {"local": True}
    prefactor.configure(**given)

    span.set_payload("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    span.fail(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    instance.finish("done")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    prefactor.start_span("step", titel="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    prefactor.start_span(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def after_a_block_code_is_reached() -> int:
    with prefactor.span("step"):
        return 1
    return "no block swallows exceptions"  # type: ignore[unreachable]
