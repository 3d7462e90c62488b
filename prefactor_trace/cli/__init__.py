"""The command line: ``prefactor-trace COMMAND``; `arguments.py` lists the commands."""

from prefactor_trace.cli.command_line import main

__all__ = ["main"]
