"""Every test on every supported Python, and the gates that need only one."""

import nox

nox.options.error_on_missing_interpreters = False
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the tests; what follows ``--`` goes to pytest."""
    session.install("--editable", ".[dev]")
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "auto"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check the rules and the format."""
    session.install("--editable", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    session.install("--editable", ".[dev]")
    session.run("mypy")


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def instructions(session: nox.Session) -> None:
    """Hold the hot path against its baseline; ``-- --renew`` writes that anew."""
    session.install("--editable", ".")
    session.run("python", "-m", "benchmarks.instructions", *session.posargs)
