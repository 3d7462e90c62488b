"""Which instance and span the running code is in.

One `ContextVar` holds the innermost node: a span, or an instance where no span is open. A node
knows what was held before it, so there is no stack to push to or pop from: entering sets the
variable, leaving sets it back.

A node that is held does not always count as the place that the code is in. Two kinds do not: a span
that was entered in the body of a generator, while that generator is suspended, and a span that has
ended. They are skipped, in favour of what was held before them, but only in the context that
entered them: a task or a thread that inherited them was started inside of them.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Literal

from prefactor_trace import _finalisers

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

    from prefactor_trace._instance import Instance
    from prefactor_trace._span import Span

_PLAIN_GENERATOR = 0x20
GENERATOR = _PLAIN_GENERATOR | 0x200
"""Flags of the code of generators and async generators; `inspect` has them, and is slow to load."""

ENDED = object()
"""What `_doubt` is of a node that has ended."""

ENTERS = frozenset(("__enter__", "__aenter__", "enter_context", "enter_async_context"))
"""Names of functions that enter a block for their caller, such as `ExitStack.enter_context`."""

# Modules that make a block, or a fixture, of a generator: they run it up to its `yield`, and what
# it has entered by then counts on while it is suspended there.
_MAKE_BLOCKS = {
    "contextlib",
    "_pytest.fixtures",
    "pytest_asyncio.plugin",
    "anyio._backends._asyncio",  # for anyio's plugin of pytest
    "anyio._backends._trio",
}
_DRIVER = "prefactor_trace._generate"


class Node:
    """A place in a run that code can be in.

    Attributes:
        _doubt: Why the node may not count though it is held. ``None``: it surely does. A frame:
            that of the generator that entered it, which may be suspended. `ENDED`: it has ended.
        _token: What setting the variable to this node returned: it can be used only in the context
            that entered the node, and has what was held before. ``None`` while it is not entered.
    """

    __slots__ = ("_doubt", "_token")

    _doubt: Any
    _token: Token[Any] | None
    _home: Any
    _instance: Any
    _own_span: Any

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        return self.__exit__(exc_type, exc, traceback)


current: ContextVar[Any] = ContextVar("prefactor_trace.current", default=None)
_finalisers.protect()


def current_span() -> Span | None:
    """Return the span that the running code is in, or ``None``."""
    node = innermost()
    own: Span | None = None if node is None else node._own_span
    return own


def current_instance() -> Instance | None:
    """Return the instance that the running code is in, or ``None``."""
    node = innermost()
    instance: Instance | None = None if node is None or node._home is None else node._instance
    return instance


def innermost() -> Node | None:
    """Return the node that the running code is in."""
    node: Node | None = current.get()
    if node is None or node._doubt is None:
        return node
    return first_that_counts(node)


def enter(node: Node) -> None:
    """Let the variable hold `node`, in place of what it holds."""
    node._token = current.set(node)


def outer_of(node: Node) -> Node | None:
    """Return what was held before `node` was entered."""
    outer: Any = None if node._token is None else node._token.old_value
    return None if outer is Token.MISSING else outer


def note_frame(node: Node, frame: FrameType) -> None:
    """Where `frame`, which entered `node`, is a generator's: let `node` count while that runs."""
    node._doubt = _generator_of(frame)


def makes_block(frame: FrameType) -> bool:
    """Return whether the generator of a frame is run by one of the modules that make blocks."""
    return _is_block_maker(_runner_of(frame))


def _generator_of(frame: FrameType) -> FrameType | None:
    """Return the generator's frame that a block entered in `frame` is in, if it is in one."""
    entered: FrameType | None = frame
    while entered is not None:
        if entered.f_code.co_name in ENTERS:
            entered = entered.f_back
        elif not entered.f_code.co_flags & GENERATOR:
            return None
        else:
            runner = _runner_of(entered)
            if runner is None or not _is_block_maker(runner):
                return entered
            entered = runner.f_back  # the block is in the code that has it made
    return None


def _runner_of(frame: FrameType) -> FrameType | None:
    """Return the frame that steps a generator; those between that only hand on its items do not."""
    runner = frame.f_back
    while runner is not None and _hands_on(runner):
        runner = runner.f_back
    return runner


def _is_block_maker(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") in _MAKE_BLOCKS


def _hands_on(frame: FrameType) -> bool:
    """Return whether a frame hands on items: at a `yield from`, or ours around a decorated one."""
    if frame.f_globals.get("__name__") == _DRIVER:
        return True
    if not frame.f_code.co_flags & _PLAIN_GENERATOR:
        return False
    import opcode  # seldom: only where generators are run by generators

    code, at = frame.f_code.co_code, frame.f_lasti
    while at > 0 and code[at] == opcode.opmap.get("CACHE"):
        at -= 2
    return opcode.opname[code[at]] in ("SEND", "YIELD_FROM")


def leave(node: Node) -> None:
    """Let the variable hold what it held before `node`, if it holds `node`.

    A generator that is closed from elsewhere ends its span in another context than the one that it
    began in. The context that it began in goes on holding the span, and skips it.
    """
    if current.get() is node:
        try:
            current.reset(node._token)
            node._token = None
        except (ValueError, RuntimeError, TypeError):  # the token is another context's, used, none
            current.set(outer_of(node))


def leave_all_in(node: Node) -> None:
    """Leave a run's node, and those of its spans that were entered inside and never left.

    A span is never left if a signal handler raises after its block was entered and before the first
    line in it. What comes after the run must not be taken for a part of that span. Left alone are
    spans of other runs, which may overlap this one, and of generators, which may go on after it.
    """
    held: Node | None = current.get()
    while (
        held is not None
        and held is not node
        and held._instance is node
        and held._doubt in (None, ENDED)
    ):
        held = outer_of(held)
    if held is node:
        current.set(outer_of(node))
        node._token = None


def first_that_counts(node: Node | None) -> Node | None:
    """Return `node` if it counts, else the nearest one held before it that does."""
    while node is not None and node._doubt is not None and not _counts(node):
        outer = outer_of(node)
        if node._doubt is ENDED and current.get() is node:
            current.set(outer)
            node._token = None
        node = outer
    return node


def _counts(node: Node) -> bool:
    frame = node._doubt
    # The frame of a generator has a caller only while the generator runs.
    if frame is not ENDED and frame.f_back is not None:
        return True
    return not _was_entered_here(node)


def _was_entered_here(node: Node) -> bool:
    """Return whether this very context entered `node`: only there can its token be used."""
    if node._token is None:
        return False
    held = current.get()
    try:
        current.reset(node._token)
    except (ValueError, RuntimeError):
        return False
    node._token = current.set(held)
    return True
