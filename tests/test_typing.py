"""User code keeps its types."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import prefactor_trace

SAMPLE = Path(__file__).parent / "typing" / "api.py"
ROOT = Path(prefactor_trace.__file__).parents[1]
PYRIGHT = Path(sysconfig.get_path("scripts")) / f"basedpyright{sysconfig.get_config_var('EXE')}"


def check(*command: str) -> None:
    """Run a type checker, which must have nothing to say."""
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_mypy_takes_user_code_and_finds_its_mistakes(tmp_path: Path):
    """Each marked line of the sample is an error, and no other line is."""
    options = ["--strict", "--warn-unused-ignores", "--warn-unreachable"]
    places = ["--config-file", os.devnull, "--cache-dir", str(tmp_path)]
    check(sys.executable, "-m", "mypy", *options, *places, str(SAMPLE))


@pytest.mark.skipif(not PYRIGHT.exists(), reason="basedpyright is not installed (it is in [dev])")
def test_pyright_takes_user_code_and_finds_its_mistakes(tmp_path: Path):
    """The same of the other checker, by its own marks: those of mypy hide nothing from it."""
    project = tmp_path / "pyrightconfig.json"
    options = {
        "include": [str(SAMPLE)],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.10",
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    project.write_text(json.dumps(options))
    check(str(PYRIGHT), "--project", str(project), "--pythonpath", sys.executable)
