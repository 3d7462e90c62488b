"""The process that measures one tracer at one task, and prints what it found as JSON."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import sys
import traceback

from benchmarks.sink import Tally
from benchmarks.tracers import tracer_class


def main() -> None:
    """Run the task that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tracer")
    parser.add_argument("task")
    parser.add_argument("--mode", default="on")
    parser.add_argument("--url", required=True)
    parser.add_argument("--tally", required=True)
    parser.add_argument("--size", type=float, default=1.0)
    said = parser.parse_args()
    task = importlib.import_module(f"benchmarks.tasks.{said.task}")
    roomy = getattr(task, "ROOMY", False)
    loop = asyncio.new_event_loop()
    try:
        tracer = tracer_class(said.tracer)(said.url, said.mode, roomy=roomy, loop=loop)
        print(json.dumps(task.measure(tracer, Tally(said.tally), said.size)), flush=True)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        _leave(1)
    _leave(0)


def _leave(status: int) -> None:
    """End the process at once: what a library does at its exit may take for ever."""
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
