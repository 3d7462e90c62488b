"""``prefactor-trace terminate``: end a run that is not over."""

import argparse
from typing import TextIO

from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.runs import find
from prefactor_trace.cli.terminal import one_line, write
from prefactor_trace.server import Store
from prefactor_trace.server._instances import LONGEST_REASON


def terminate(arguments: argparse.Namespace, out: TextIO) -> int:
    """End a run; its agent is told with the answer to what it sends next."""
    reason = _checked(arguments.reason)
    path = database_path(arguments.db)
    with open_existing(path) as store:
        run = find(arguments.id, store)
    try:
        with Store(path) as store:
            store.terminate(run.id, reason)
    except LookupError:  # deleted since
        raise CommandError(f"there is no run {run.id} any more") from None
    except ValueError:
        with open_existing(path) as store:  # it may have come to its end only now
            status = find(run.id, store).status
        raise CommandError(f"{run.id} is over: it is {status}") from None
    write(out, f"terminated {run.id} of {one_line(run.agent_name)}")
    return DONE


def _checked(reason: str | None) -> str | None:
    if not reason:
        return None
    try:
        reason.encode()
    except UnicodeEncodeError:  # bytes that are no text, as an argument may hold
        raise CommandError("the reason is no text", MISUNDERSTOOD) from None
    if len(reason) > LONGEST_REASON:
        raise CommandError(f"a reason has at most {LONGEST_REASON} characters", MISUNDERSTOOD)
    return reason
