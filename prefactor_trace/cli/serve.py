"""``prefactor-trace serve``: the Prefactor API on this machine."""

import argparse
import os
from typing import TextIO

from prefactor_trace.cli.database import database_path
from prefactor_trace.cli.terminal import write
from prefactor_trace.server import Api, Server, Store

_TOKEN_WHERE_NONE_IS_NEEDED = "local"  # noqa: S105  # any word does; an agent must send one


def serve(arguments: argparse.Namespace, out: TextIO) -> int:
    """Serve until Ctrl-C, saying first how an agent is pointed here."""
    token = arguments.token or os.environ.get("PREFACTOR_SERVE_TOKEN") or None
    path = database_path(arguments.db)
    with Store(path) as store:
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
    return 0


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
