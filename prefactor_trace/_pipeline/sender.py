"""What carries a body to the service: the background thread itself, or one beside it.

With a spool there is a second thread, so that what is recorded while a request waits for its
answer gets to the disk in time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._pipeline.inbox import Inbox

if TYPE_CHECKING:
    from prefactor_trace._pipeline.poll import Poll
    from prefactor_trace._transport import Answer, Transport

REPLAY_EVERY = 30.0
"""Seconds between two looks for what dead processes left in the spool."""

_POLL = b"poll"


class Inline:
    """Sends on the thread that asks.

    Args:
        transport: Where bodies go.
        poll: Asks after runs.
    """

    def __init__(self, transport: Transport, poll: Poll) -> None:
        self.is_free = True
        self._transport = transport
        self._poll = poll

    def poll(self) -> None:
        """Ask after the runs that nothing was heard of."""
        self._poll.run()

    def send(self, body: bytes) -> Answer | None:
        """Send a body and return the answer."""
        return self._transport.send(body)

    def close(self, timeout: float) -> None:  # noqa: ARG002
        """Release the connections."""
        self._transport.close()


class Sender:
    """Sends on a thread of its own, one body at a time.

    Args:
        transport: Where bodies go.
        answered: Takes each answer; called on the sender's thread.
        replay: Sends what dead processes left, and returns whether some of it is left still;
            called on the sender's thread: first of all, every half a minute, and as soon as the
            service is back.
        run_work: Runs what the thread does, where nothing is recorded.
        poll: Asks after runs.

    Attributes:
        is_free: Whether no body is on its way; whoever reads the answer sets it, and not before.
    """

    def __init__(
        self,
        transport: Transport,
        answered: Callable[[Answer], None],
        replay: Callable[[], bool],
        run_work: Callable[[Callable[[], None]], None],
        poll: Poll,
    ) -> None:
        self.is_free = True
        self._poll = poll
        self._transport = transport
        self._answered = answered
        self._replay = replay
        self._run_work = run_work
        self._next_replay = 0.0
        self._is_some_left = False
        self._bodies: Inbox[bytes | None] = Inbox()
        self._thread: threading.Thread | None = None
        self._abandoned: list[Inbox[bytes | None]] = []

    def send(self, body: bytes) -> Answer | None:
        """Have a body sent; `answered` is called with the answer, unless it is returned."""
        if not self._start():
            return self._transport.send(body)
        self.is_free = False
        self._bodies.put(body)
        return None

    def _start(self) -> bool:
        """Start the thread where there is none; return whether there is one."""
        if self._thread is not None and self._thread.is_alive():
            return True
        # A queue of its own: a thread that was closed while it waits must not take the next body.
        bodies = self._bodies
        thread = threading.Thread(
            target=self._run_work,
            args=(lambda: self._run(bodies),),
            name="prefactor-trace-sender",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:  # from Python 3.12 on none starts while the process ends
            return False
        self._thread = thread
        return True

    def poll(self) -> None:
        """Have it asked after the runs that nothing was heard of."""
        if self._thread is not None and self._thread.is_alive():
            self._bodies.put(_POLL)

    def close(self, timeout: float) -> None:
        """Release the connections once the body on its way is answered, or after `timeout`."""
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive():
            bodies, self._bodies = self._bodies, Inbox()
            bodies.put(None)
            thread.join(timeout)
            if thread.is_alive():
                self._abandoned.append(bodies)
        else:
            self._transport.close()

    def _run(self, bodies: Inbox[bytes | None]) -> None:
        while True:
            if time.monotonic() >= self._next_replay:
                self._replay_orphans()
            try:
                body = bodies.get(timeout=max(0.0, self._next_replay - time.monotonic()))
            except TimeoutError:
                continue
            if body is None:
                break
            if body is _POLL:
                self._poll.run()
                continue
            answer = self._transport.send(body)
            if any(bodies is one for one in self._abandoned):
                break  # nobody waits for this answer any more
            self._answered(answer)
            if self._is_some_left and answer.status == 200:
                self._replay_orphans()  # the service is back
        self._transport.close()

    def _replay_orphans(self) -> None:
        self._next_replay = time.monotonic() + REPLAY_EVERY
        try:
            self._is_some_left = self._replay()
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("sending what another process left", error)
