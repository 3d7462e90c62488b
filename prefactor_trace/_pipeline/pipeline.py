"""The pipeline as the rest of the library sees it: a buffer, and what delivers it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prefactor_trace import _exits
from prefactor_trace._home import id_lock
from prefactor_trace._locks import let_go, make_lock
from prefactor_trace._pipeline.background import Background
from prefactor_trace._pipeline.buffer import Buffer
from prefactor_trace._pipeline.delivery import Delivery
from prefactor_trace._pipeline.inbox import Inbox
from prefactor_trace._pipeline.poll import Poll
from prefactor_trace._pipeline.sender import Inline, Sender
from prefactor_trace._pipeline.worker import HURRY, Request, Worker

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline.spool import Spool
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport import Answer, Transport
    from prefactor_trace.receipts import Receipt, Stats

FLUSH_TIMEOUT = 30.0
"""Seconds that `flush` and `shutdown` wait when they are not told how long."""


class Pipeline:
    """A buffer, and the thread that delivers what is left there.

    The thread starts with the first record and sleeps while there is nothing to do.

    Args:
        settings: Limits and delays.
        registry: What instances declare.
        transport: Where requests go.
        target: What names the place that the transport leads to.
        on_start: Called when the thread starts, in whatever process.
        open_runs: The instances that are open.
        run_untraced: Runs a function where nothing is recorded: an agent may trace the very
            libraries that deliver its spans.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        transport: Transport,
        *,
        target: str = "",
        on_start: Callable[[], None] | None = None,
        open_runs: Iterable[Instance] = (),
        run_untraced: Callable[[Callable[[], None]], None] = lambda function: function(),
    ) -> None:
        self.settings = settings
        self._registry = registry
        self._transport = transport
        self.target = target
        self._on_start = on_start
        self._run_untraced = run_untraced
        self._poll = Poll(open_runs, transport.look)
        self._one_here = make_lock()  # held by a thread that delivers since no other can start
        self.buffer = Buffer(
            settings.max_buffer_spans,
            settings.max_buffer_bytes,
            settings.max_batch_items,
            self.wake,
        )
        self._spool: Spool | None = None
        if settings.spool_dir is not None:
            from pathlib import Path

            # Loaded now rather than with the first record, which is to be on disk 50 ms later.
            import prefactor_trace._capture.redaction
            import prefactor_trace._pipeline.replay
            import prefactor_trace.models  # noqa: F401
            from prefactor_trace._pipeline.spool import Spool

            self._spool = Spool(Path(settings.spool_dir), target, settings.spool_max_bytes)
        self._begin()

    def _begin(self) -> None:
        self._requests: Inbox[Request | Answer | None] = Inbox()
        self._dropped_said = 0
        self._background = Background(
            self._work,
            self.buffer.ledger,
            on_start=self._on_start,
            run_untraced=self._run_untraced,
        )
        self._delivery = Delivery(self.buffer, self._registry, self.settings, self._spool)

    # From other threads

    def flush(self, timeout: float | None = None) -> Receipt:
        """Wait until all that was recorded before is acknowledged, or `timeout` seconds.

        Args:
            timeout: Seconds; 30 when ``None``.
        """
        return self._ask(Request(), timeout)

    def shutdown(self, timeout: float | None = None, *, closing: str | None = None) -> Receipt:
        """Flush, end the thread and close the connections. A later record starts them again.

        Args:
            timeout: Seconds; 30 when ``None``.
            closing: Why spans and instances that are still open will not be ended by anybody;
                they end as failed. They stay open when ``None``.
        """
        receipt = self._ask(Request(closing=closing, stop=True), timeout)
        self._background.join_last(timeout=1.0)
        return receipt

    def hasten(self, timeout: float) -> None:
        """Flush, for `timeout` seconds at most, and send at once what is recorded from now on."""
        self.settings = dataclasses.replace(self.settings, flush_interval=0.0)  # of threads to come
        self._ask(Request(hasten=True), timeout)

    def cease(self) -> bool:
        """Send nothing more in this process; say whether something is left that is news.

        What is on its way is still answered, and whoever waits for the rest waits no longer.
        """
        if self._delivery.has_ceased or not self._has_left:
            return False
        self._delivery.has_ceased = True
        self._requests.put(None)
        return True

    def say_lost(self, timeout: float) -> None:
        """Log what did not arrive before it ceased.

        Args:
            timeout: Seconds to wait for the answer to what is on its way.
        """
        left = self.shutdown(timeout).pending
        if left:
            spans, delivery = self.buffer.ledger.stats().pending, self._delivery
            delivery.notices.say_lost(
                spans,
                left - spans,
                on_their_way=delivery.on_its_way,
                in_memory=delivery.in_memory_only,
            )

    def say_dropped(self) -> None:
        """Log how many spans were dropped, if any were since it was last said."""
        stats = self.buffer.ledger.stats()
        before, self._dropped_said = self._dropped_said, stats.dropped
        if stats.dropped > before:
            self._delivery.notices.say_dropped(stats.dropped, stats.dropped_by_reason)

    def wake(self) -> bool:
        """Have the thread look at the buffer now, if there can be one; called from any thread."""
        self._requests.put(None)
        return self._background.start()

    def hurry(self) -> None:
        """Have what waits sent soon; called from the agent's threads, and waits for nothing."""
        self._requests.put(HURRY)
        self._background.start()

    def ask_sooner(self) -> None:
        """Ask sooner after the runs that somebody waits to hear of; called on any thread."""
        self._poll.reckon_anew()
        self.wake()

    def stats(self) -> Stats:
        """Return what became of the spans so far."""
        return dataclasses.replace(
            self.buffer.ledger.stats(),
            spool_bytes=0 if self._spool is None else self._spool.measure(),
            redaction_failures=self._delivery.redaction_failures,
        )

    def renew(self, settings: Settings) -> None:
        """Go on to the same place with other settings, such as a new token."""
        self.settings = settings
        self.buffer.set_bounds(settings.max_buffer_spans, settings.max_buffer_bytes)
        self._transport.renew(settings)
        self._delivery.renew(settings)
        self.wake()

    def give_up(self, reason: str) -> None:
        """Drop what is not delivered, and whatever is still to come; end the thread."""
        self._delivery.given_up = reason
        self._requests.put(Request(stop=True))
        self._background.start()

    def let_go(self) -> None:
        """End the thread, where there is one, without waiting; called from a finaliser."""
        if self._background.thread is not None and not _exits.is_over():
            self._requests.put(Request(stop=True))

    def before_fork(self) -> None:
        """Finish what a forked child would wait for in vain, and make the ids of what is open."""
        if self._background.thread is not None:
            self._transport.load()
        self._delivery.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on, and soon send the spans that are open, since the child will name them."""
        self._delivery.after_fork_in_parent()
        if self._background.thread is not None:
            self._requests.put(HURRY)

    def after_fork(self) -> None:
        """Begin anew in a forked child: what was recorded before is the parent's to deliver."""
        self._transport.forget()
        if self._spool is not None:
            self._spool.forget()
        self._delivery.intake.leave_to_parent()
        self.buffer.clear()
        self._begin()

    def _ask(self, request: Request, timeout: float | None) -> Receipt:
        if self._background.is_here:
            return self._receipt()  # asked by a callback of ours: waiting would be for ever
        if not self._has_left:
            return self.buffer.ledger.receipt(0)  # what others record from here on came later
        deadline = time.monotonic() + (FLUSH_TIMEOUT if timeout is None else timeout)
        self._requests.put(request)
        if self._background.start():
            with let_go(self.buffer.lock, self.buffer.ledger.lock, id_lock):
                request.done.wait(max(0.0, deadline - time.monotonic()))
        else:
            self._do_here(request, deadline)
        if request.done.is_set() and not self._delivery.is_halted:
            return self.buffer.ledger.receipt(0)  # what others recorded meanwhile came later
        # Out of time, or halted: something is pending, whatever is counted at this very moment.
        is_final = request.done.is_set() and self._delivery.has_ceased
        return self._receipt(at_least=0 if is_final else 1)

    def _do_here(self, request: Request, deadline: float) -> None:
        """Do what is asked on this thread, since there is no other."""
        if self._one_here.acquire(timeout=max(0.0, deadline - time.monotonic())):
            try:
                self._requests.put(request)  # again: the thread before may have taken it and ended
                self._background.do(lambda: self._work(deadline, request.done.is_set))
            finally:
                self._one_here.release()

    @property
    def _has_left(self) -> bool:
        return not (
            self._background.thread is None and self.buffer.is_empty and not self._delivery.has_open
        )

    def _receipt(self, at_least: int = 0) -> Receipt:
        buffer, delivery = self.buffer, self._delivery
        return buffer.ledger.receipt(max(at_least, delivery.pending + buffer.waiting))

    # On the background thread

    def _work(
        self, deadline: float | None = None, is_done: Callable[[], bool] = lambda: False
    ) -> None:
        """Deliver until asked to stop; where no thread can start, until `is_done` or `deadline`."""
        sender: Sender | Inline
        if self._spool is None or deadline is not None:
            sender = Inline(self._transport, self._poll)
        else:
            answered = self._requests.put
            sender = Sender(
                self._transport, answered, self._replay, self._background.do, self._poll
            )
        stopped: list[Request] = []
        try:
            worker = Worker(
                self.buffer, self._delivery, sender, self._requests, self.settings, poll=self._poll
            )
            stopped = worker.run(deadline, is_done)
            sender.close(timeout=1.0)
            if self._spool is not None:
                self._spool.close()
        finally:
            # However it ended, the next record starts another thread.
            self.buffer.wake_at_next()
            if stopped:
                self._background.let_go()
            for request in stopped:
                request.done.set()
            # What was left or asked while this thread was ending found it alive. Where it was only
            # woken, there is nothing to do.
            if stopped and (any(self._requests.waiting()) or not self.buffer.is_empty):
                self._background.start()

    def _replay(self) -> bool:
        """Send what dead processes left; return whether some of it is left still."""
        folder = self.settings.spool_dir
        if folder is None:
            return False
        from pathlib import Path

        from prefactor_trace._pipeline.replay import replay

        return replay(Path(folder), self.target, self._transport.send, self.settings).left > 0
