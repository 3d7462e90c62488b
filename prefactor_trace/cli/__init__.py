"""The command line: ``prefactor-trace run | serve | ls | show | demo``."""

from prefactor_trace.cli.command_line import main

__all__ = ["main"]
