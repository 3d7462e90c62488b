"""Agents built with other people's libraries: their own tests pass, as a reader would run them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NEEDED = {
    "langchain": "langchain_core",
    "openai": "openai",
    "pydantic_ai": "pydantic_ai",
    "smolagents": "smolagents",
}


@pytest.mark.parametrize("name", NEEDED)
def test_the_tests_of_an_example_pass(name: str, tmp_path: Path):
    """In a process of its own, and with no packet: these libraries keep much open."""
    if importlib.util.find_spec(NEEDED[name]) is None:
        pytest.skip(f"not installed: {NEEDED[name]}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    words = ["-c", str(tmp_path / "pytest.ini"), "--rootdir", str(ROOT), "-q"]
    test = f"examples/tests/test_with_{name}.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
