"""`replay`: send what processes that have died left in the spool."""

import argparse
import sys
from pathlib import Path
from typing import Any, TextIO

from prefactor_trace._pipeline.replay import Replayed
from prefactor_trace._pipeline.replay import replay as replay_spool
from prefactor_trace._settings import load_settings
from prefactor_trace._transport import open_transport, target_of
from prefactor_trace._variables import warn_of_unknown
from prefactor_trace._version import SDK
from prefactor_trace.cli.ending import DONE, FAILED, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.terminal import write, write_json


def replay(arguments: argparse.Namespace, out: TextIO) -> int:
    """Send what is left, and say how much that was; 1 where some of it is left still."""
    given = {"spool_dir": arguments.spool_dir}
    if arguments.db is not None:
        given |= {"local_db": arguments.db, "local": True}
    warn_of_unknown()
    settings = load_settings(given)
    if settings.spool_dir is None:
        raise CommandError(
            "say where the spool is: --spool-dir DIR, or $PREFACTOR_SPOOL_DIR", MISUNDERSTOOD
        )
    if settings.off_reason is not None:
        raise CommandError(f"cannot send: {settings.off_reason}")
    folder = Path(settings.spool_dir)
    if not folder.is_dir():
        raise CommandError(f"there is no spool in {folder}")
    transport = open_transport(settings, SDK)
    try:
        done = replay_spool(folder, target_of(settings), transport.send, settings)
    finally:
        transport.close()
    if arguments.json:
        write_json(out, _as_json(done))
    else:
        write(out, f"{done.sent} sent, {len(done.rejected)} refused, {done.left} left")
        if done.without_end:
            write(out, _told_of_open(done.without_end))
        for key, reason in done.rejected.items():
            write(out, f"refused {key}: {reason}")
    if done.left:
        write(sys.stderr, f"prefactor-trace: what is left could not be sent: {done.reason}")
    if done.elsewhere:
        write(sys.stderr, f"prefactor-trace: {done.elsewhere} more spool for another place")
    return FAILED if done.left else DONE


def _told_of_open(count: int) -> str:
    runs, it_stays = ("run has", "it stays") if count == 1 else ("runs have", "they stay")
    return f"{count} {runs} no end: {it_stays} open, unless another process says that it is over"


def _as_json(done: Replayed) -> dict[str, Any]:
    rejected = [{"key": key, "reason": reason} for key, reason in done.rejected.items()]
    return {
        "sent": done.sent,
        "rejected": rejected,
        "left": done.left,
        "without_end": done.without_end,
        "elsewhere": done.elsewhere,
        "reason": done.reason,
    }
