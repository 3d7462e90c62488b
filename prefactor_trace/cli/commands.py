"""What every command of ``prefactor-trace`` has: a place among the others, and what is called."""

import argparse
import importlib
from collections.abc import Callable
from functools import partial
from typing import TextIO

Command = Callable[[argparse.Namespace, TextIO], int]
Commands = argparse._SubParsersAction  # argparse has no public name for it
Parser = argparse.ArgumentParser


def later(module: str, name: str) -> "partial[int]":
    """Return a command whose module is imported when it is called.

    So that `ls` loads neither the agent of the demo nor what talks HTTP.
    """
    return partial(_call, module, name)


def _call(module: str, name: str, arguments: argparse.Namespace, out: TextIO) -> int:
    command: Command = getattr(importlib.import_module(f"prefactor_trace.cli.{module}"), name)
    return command(arguments, out)


def add_json(parser: argparse.ArgumentParser, help: str = "as JSON") -> None:
    """Give a command the option that lets programs read what it says."""
    parser.add_argument("--json", action="store_true", help=help)
