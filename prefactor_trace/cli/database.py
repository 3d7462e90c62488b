"""Where the traces are, and saying clearly when they are not there."""

from pathlib import Path

from prefactor_trace.cli.ending import MISUNDERSTOOD, CommandError
from prefactor_trace.server import Store, default_database_path


def user_path(given: str) -> Path:
    """Return a path from the command line, which may begin with ``~``.

    Raises:
        CommandError: Nobody has such a home folder.
    """
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise CommandError(f"cannot tell where {given} is: {error}", MISUNDERSTOOD) from None


def database_path(given: str | None) -> Path:
    """Return the database to use: ``--db``, else ``$PREFACTOR_LOCAL_DB``, else the user's own."""
    try:
        chosen = user_path(given) if given else default_database_path()
    except RuntimeError as error:
        raise CommandError(f"say with --db where the database is: {error}", MISUNDERSTOOD) from None
    return chosen.absolute()  # since the program that is run may change its folder


def check_database(path: Path) -> None:
    """Open the database and close it again, so that a wrong one is known before anything runs.

    Raises:
        DatabaseError: It cannot be used.
    """
    Store(path).close()


def open_existing(path: Path) -> Store:
    """Open a database to read from it; unlike a writer, make none.

    Raises:
        CommandError: There is none.
        DatabaseError: It cannot be used.
    """
    if not path.exists():
        raise CommandError(
            f"there is no database at {path}; `prefactor-trace run SCRIPT` or `demo` makes one"
        )
    return Store(path, read_only=True)
