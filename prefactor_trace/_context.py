"""Which instance and span the running code is in.

One `ContextVar` holds the innermost node: a span, or an instance where no span is open. A node
knows what was held before it, so there is nothing to push or pop: entering sets the variable,
leaving sets it back.

Two kinds of nodes are held without being where the code is: a span that was entered in the body of
a generator, while that generator is suspended, and one that has ended. Both are stepped over, but
only in the context that entered them: a task or a thread that inherited them was begun inside.
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
"""Flags of a frame that is a generator's or an async generator's; `inspect` is slow to load."""

ENDED = object()
"""The doubt about a node that has ended."""

ENTERS = frozenset(("__enter__", "__aenter__", "enter_context", "enter_async_context"))
"""Names of what enters a block for whoever calls it: a block that holds one, and a stack."""

# Modules that run a generator up to its `yield` to have a block: what it entered goes on counting.
_MAKE_BLOCKS = {"contextlib", "_pytest.fixtures", "pytest_asyncio.plugin"}
_DRIVER = "prefactor_trace._generate"


class Node:
    """A place in a run that code can be in.

    Attributes:
        _doubt: Why the code may not be in it though it is held: ``None`` while it surely is; the
            frame of the generator that entered it, which may be suspended; `ENDED`.
        _token: Of its entering: tells the context where that was from all others, and knows what
            was held before.
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
    """Hold `node` in place of what is held, from here on."""
    node._token = current.set(node)


def outer_of(node: Node) -> Node | None:
    """Return what was held before `node` was entered."""
    outer: Any = None if node._token is None else node._token.old_value
    return None if outer is Token.MISSING else outer


def note_frame(node: Node, frame: FrameType) -> None:
    """Let `node`, entered in `frame`, count only while that runs if it is a generator's."""
    node._doubt = _generator_of(frame)


def makes_block(frame: FrameType) -> bool:
    """Return whether the generator of a frame is run up to its `yield` to have a block there."""
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
    """Return the frame that takes the items of a generator, past those that only hand them on."""
    runner = frame.f_back
    while runner is not None and _hands_on(runner):
        runner = runner.f_back
    return runner


def _is_block_maker(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") in _MAKE_BLOCKS


def _hands_on(frame: FrameType) -> bool:
    """Return whether it is a generator's, at a `yield from`, or ours around a decorated one."""
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
    """Hold again what was held before `node`, if that is what is held.

    A generator that is closed from elsewhere ends its span in another context than the one that it
    began in. That one goes on holding the span, and steps over it.
    """
    if current.get() is node:
        try:
            current.reset(node._token)
            node._token = None
        except (ValueError, RuntimeError, TypeError):  # none, used meanwhile, or another context's
            current.set(outer_of(node))


def leave_all_in(node: Node) -> None:
    """Leave a run's node, and those of its spans that were entered inside and never left.

    Such as one of which a signal handler raised between the entering of its block and the first
    line in there: nobody leaves that one, and what comes after the run is not in it. Other runs
    may overlap this one, and generators go on after it: theirs stay.
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
    """Return `node`, or the nearest one held before it that the code is in."""
    while node is not None and node._doubt is not None and not _counts(node):
        outer = outer_of(node)
        if node._doubt is ENDED and current.get() is node:
            current.set(outer)
            node._token = None
        node = outer
    return node


def _counts(node: Node) -> bool:
    frame = node._doubt
    # A suspended frame has nothing that called it.
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
