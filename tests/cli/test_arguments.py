"""The commands' arguments, and how little is loaded to carry one out."""

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from prefactor_trace.cli.arguments import parser

from .records import environment, record, span


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    (found,) = (action.choices for action in parser()._actions if isinstance(action.choices, dict))
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_there_and_explained(name: str) -> None:
    """Behind each name stands a function, and each option says what it is for."""
    one = commands()[name]
    module, function = one.get_default("command").args
    assert callable(getattr(importlib.import_module(f"prefactor_trace.cli.{module}"), function))
    for action in one._actions:
        assert action.help, f"{name}: {action.dest}"


@pytest.mark.parametrize("name", ["show", "ls"])
def test_reading_loads_little(name: str, tmp_path: Path) -> None:
    """What only reads the database loads no HTTP, no event loop and no agent of the demo."""
    instance = record(tmp_path / "traces.db", [span()])
    words = [name, instance] if name == "show" else [name]
    program = f"from prefactor_trace.cli import main; assert main({words!r}, io.StringIO()) == 0"
    heavy = {"httpx", "asyncio", "http.server", "ssl", "prefactor_trace.cli.demo_agent"}
    # Newer versions of wrapt load asyncio themselves.
    assert heavy & loaded_by(program, tmp_path) <= loaded_by("import pydantic, wrapt", tmp_path)


def loaded_by(program: str, folder: Path) -> set[str]:
    """Return the modules that a fresh interpreter has loaded at the end of a program."""
    tell = "print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"import io, json, sys; {program}; {tell}"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(done.stdout))
