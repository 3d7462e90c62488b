"""Tries an installed copy: records a run into a database of its own and reads it back."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import httpx

import prefactor_trace as prefactor
from prefactor_trace.server import Api, Server, Store


def main() -> None:
    """Fail unless what was recorded can be seen."""
    package = Path(prefactor.__file__).parent
    assert "site-packages" in package.parts, f"not the installed copy: {package}"
    assert (package / "py.typed").is_file()
    assert any(one.value == "_prefactor_trace_pytest" for one in entry_points(group="pytest11"))
    assert importlib.util.find_spec("_prefactor_trace_pytest"), "the pytest plugin is not packed"
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
        check_page(Path(database))
    print("the installed copy records and shows a run")


def check_page(database: Path) -> None:
    """Fail unless every file of the page is in the installed copy."""
    with Store(database) as store, Server(Api(store)) as server:
        page = httpx.get(server.url).text
        assert "/ui/app.js" in page
        waiting, seen = ["app.js", "style.css", "icon.svg"], set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                answer = httpx.get(f"{server.url}/ui/{name}").raise_for_status()
                waiting += re.findall(r'from "\./([\w-]+\.js)"', answer.text)
    assert len(seen) > 8, seen


if __name__ == "__main__":
    main()
