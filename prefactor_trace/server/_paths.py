"""Where the database is when nobody says where."""

import os
import sys
from pathlib import Path


def default_database_path() -> Path:
    """Return `$PREFACTOR_LOCAL_DB`, else a file in the platform's folder for a user's data."""
    chosen = os.environ.get("PREFACTOR_LOCAL_DB")
    if chosen:
        return Path(chosen).expanduser()
    return _user_data_folder() / "prefactor_trace" / "local.db"


def _user_data_folder() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    given = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path is to be ignored.
    return Path(given) if given.startswith("/") else Path.home() / ".local" / "share"
