"""A tool that agents on several machines share.

It has a module of its own: engines such as Dask and Ray send functions of the main script by
value, without their decorators, and those of a module by name.
"""

import os

import prefactor_trace as prefactor


@prefactor.span("tool_call", risk=prefactor.Risk.read())
def look_up(query: str) -> str:
    """Look something up, in whichever process."""
    return f"{query}: found by {os.getpid()}"
