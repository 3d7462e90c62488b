"""The background thread: started when there is work, again if it has died, never two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefactor_trace import _exits
from prefactor_trace._locks import make_lock

if TYPE_CHECKING:
    from prefactor_trace._pipeline.ledger import Ledger


class Background:
    """The thread that does a pipeline's work.

    Args:
        work: What the thread does until it is to end.
        ledger: Counts the threads that died and were started again.
        on_start: Called when a thread starts, in whatever process.
        run_untraced: Runs a function where nothing is recorded.

    Attributes:
        thread: The thread, ``None`` while there is none.
    """

    def __init__(
        self,
        work: Callable[[], None],
        ledger: Ledger,
        *,
        on_start: Callable[[], None] | None,
        run_untraced: Callable[[Callable[[], None]], None],
    ) -> None:
        self.thread: threading.Thread | None = None
        self._work = work
        self._ledger = ledger
        self._on_start = on_start
        self._run_untraced = run_untraced
        self._lock = make_lock()
        self._last: threading.Thread | None = None  # that was let go of
        self._at_work: set[threading.Thread] = set()  # also others, such as the sender's

    @property
    def is_here(self) -> bool:
        """Whether this very thread is doing the pipeline's work."""
        return threading.current_thread() in self._at_work

    def start(self) -> bool:
        """Start the thread where there is none; say whether there is one."""
        with self._lock:
            if self.thread is not None and self.thread.is_alive():
                return True
            if _exits.is_over():
                return False
            try:
                thread = threading.Thread(target=self._run, name="prefactor-trace", daemon=True)
            except RuntimeError:  # an interpreter that is not the main one may have no such threads
                return False
            if self.thread is not None:
                # A signal handler, or a finaliser, may have come here in the midst of it.
                if self.thread.is_alive():
                    return True
                self._ledger.restarts += self.thread.ident is not None  # it died
            self.thread = thread
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down, or there are too many
                if self.thread is thread:
                    self.thread = None
                return False
            if self._on_start is not None:
                self._on_start()
            return True

    def do(self, work: Callable[[], None]) -> None:
        """Do some of the pipeline's work on this thread, where nothing is recorded."""
        thread = threading.current_thread()
        self._at_work.add(thread)
        try:
            self._run_untraced(work)
        finally:
            self._at_work.discard(thread)

    def let_go(self) -> None:
        """Have the next start be of another thread; called by this one, at its end."""
        with self._lock:
            self.thread = None
            self._last = threading.current_thread()

    def join_last(self, timeout: float) -> None:
        """Wait for the thread that has let go, which has nothing left to do but to return."""
        if self._last is not None and self._last is not threading.current_thread():
            self._last.join(timeout)

    def _run(self) -> None:
        # Not where another thread was chosen while this one was being started.
        if self.thread is threading.current_thread():
            self.do(self._work)
