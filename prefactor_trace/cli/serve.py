"""``prefactor-trace serve``: the Prefactor API on this machine."""

import argparse
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

from prefactor_trace.cli.database import database_path
from prefactor_trace.cli.ending import DONE
from prefactor_trace.cli.terminal import write
from prefactor_trace.server import Api, Server, Store

_TOKEN_WHERE_NONE_IS_NEEDED = "local"  # noqa: S105  # any word does; an agent must send one


def serve(arguments: argparse.Namespace, out: TextIO) -> int:
    """Serve until Ctrl-C or SIGTERM, saying first how an agent is pointed here."""
    token = arguments.token or os.environ.get("PREFACTOR_SERVE_TOKEN") or None
    path = database_path(arguments.db)
    with _stopping_on_sigterm(), Store(path) as store:
        server = Server(Api(store, token=token), arguments.host, arguments.port)
        try:
            for line in instructions(server.url, token, str(path)):
                write(out, line)
            out.flush()
            server.serve_forever()
        except KeyboardInterrupt:
            write(out, "stopped")
        finally:
            server.close()
    return DONE


@contextlib.contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """Leave the block on SIGTERM as on Ctrl-C, then end by that signal.

    Only a database that is closed is whole in its one file.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    told: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if not told:  # a second one must not interrupt the closing
            told.append(number)
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if told:
            # By the signal itself, so that whoever waits for the process sees what ended it.
            os.kill(os.getpid(), signal.SIGTERM)


def instructions(url: str, token: str | None, database: str) -> list[str]:
    """Return what to print: the address and the variables for an agent."""
    # The token given to this command is a secret: it does not belong on a screen.
    shown = _TOKEN_WHERE_NONE_IS_NEEDED if token is None else "<the token given to serve>"
    return [
        f"Prefactor is served on {url} (Ctrl-C ends it), stored in {database}",
        f"See what agents did: {url}/",
        "Point an agent at it:",
        f"  export PREFACTOR_API_URL={url}",
        f"  export PREFACTOR_API_TOKEN={shown}",
    ]
