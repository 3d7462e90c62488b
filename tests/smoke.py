"""Tries an installed copy: records a run into a database of its own and reads it back."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import prefactor_trace as prefactor


def main() -> None:
    """Fail unless what was recorded can be seen."""
    package = Path(prefactor.__file__).parent
    assert "site-packages" in package.parts, f"not the installed copy: {package}"
    assert (package / "py.typed").is_file()
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "smoke.db")
        prefactor.configure(local=True, local_db=database)
        with prefactor.instance("smoke", version="1") as run, prefactor.span("step", {"n": 1}):
            pass
        assert prefactor.shutdown(), "not everything arrived"
        command = [str(Path(sys.executable).parent / "prefactor-trace"), "show", run.id, "--json"]
        environment = {**os.environ, "PREFACTOR_LOCAL_DB": database}
        shown = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
        assert b'"step"' in shown.stdout, shown.stdout
        json.loads(shown.stdout)
    print("the installed copy records and shows a run")


if __name__ == "__main__":
    main()
