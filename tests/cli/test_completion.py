"""Shells complete commands and options."""

import shutil
import subprocess

import pytest

from prefactor_trace.cli.arguments import parser
from prefactor_trace.cli.completion import options

from .records import output


def script(shell: str) -> str:
    """Return the script of a shell."""
    return output("completion", shell)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["sh"], ["show"]),
        (["ex"], ["export", "export-test"]),
        (["ls", "--li"], ["--limit"]),
        (["term"], ["terminate"]),
        (["terminate", "--rea"], ["--reason"]),
        (["prune", "--older"], ["--older-than"]),
        (["show", "01"], []),
        (["--d"], ["--db"]),
        (["--db", "x.db", "sh"], ["show"]),
        (["--db", "=", "x.db", "ls", "--li"], ["--limit"]),
        (["--db=x.db", "ls", "--d"], ["--db"]),
        (["--db", "sh"], []),
        (["--db", "=", "sh"], []),
        (["ls", "--db", "sh"], []),
    ],
)
def test_bash_completes(words: list[str], found: list[str]):
    """Bash itself is asked."""
    given = " ".join(["prefactor-trace", *words])
    program = (
        f"{script('bash')}\nCOMP_WORDS=({given}); COMP_CWORD={len(words)}; _prefactor_trace;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == found
    assert done.stderr == ""


def test_every_shell_knows_every_command():
    """And every long option."""
    known = options(parser())
    assert {"run", "serve", "ls", "doctor", "tail", "import"} <= known.keys()
    for shell in ("bash", "zsh", "fish"):
        text = script(shell)
        assert all(name in text for name in known)
        assert "older-than" in text
