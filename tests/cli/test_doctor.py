"""What is wrong with the set-up, and what to do about it."""

import errno
import http.server
import json
import threading
from pathlib import Path

import pytest

from prefactor_trace._pipeline.spool import Spool
from prefactor_trace.server import Api, Server, Store

from .records import output, record, run, span


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "a.db"))


def examine() -> dict[str, tuple[str, str]]:
    """Return what is said of each thing: its state and the words."""
    code, text = run("doctor", "--json")
    found = json.loads(text)
    assert code == any(one["state"] == "fail" for one in found)
    for one in found:
        assert one["state"] == "ok" or one["todo"], one
    return {one["about"]: (one["state"], one["told"]) for one in found}


def test_a_machine_without_an_account_is_told_so(tmp_path: Path):
    """Tracing is off; the database is made when it is needed, also where its file is there."""
    found = examine()
    assert found["version"][0] == "ok"
    assert found["tracing"][0] == "warn"
    assert "there is no API token" in found["tracing"][1]
    assert "made by the first run" in found["database"][1]
    (tmp_path / "a.db").touch()
    assert examine()["database"] == found["database"]


def test_local_mode_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """How much is there; a file that is no database is named."""
    monkeypatch.setenv("PREFACTOR_LOCAL", "1")
    record(tmp_path / "a.db")
    assert examine()["database"][1].startswith(f"{tmp_path / 'a.db'}: 1 run,")
    (tmp_path / "a.db").write_text("no database " * 100)
    assert examine()["database"][0] == "fail"


def test_the_size_of_the_database_is_that_of_its_log_too(tmp_path: Path):
    """Where what was recorded stands until it is moved into the file."""
    path = tmp_path / "a.db"
    with Store(path):  # as an agent that goes on has it open
        record(path, [span(payload={"text": "x" * 1_500_000})])
        assert path.stat().st_size < 2**20
        told = examine()["database"][1]
        assert float(told.removeprefix(f"{path}: 1 run, ").removesuffix(" MiB")) > 1


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch):
    """With its variable."""
    monkeypatch.setenv("PREFACTOR_MAX_AGE", "soon")
    state, told = examine()["settings"]
    assert state == "fail"
    assert "PREFACTOR_MAX_AGE" in told


def test_variables_that_are_no_settings_are_named(monkeypatch: pytest.MonkeyPatch):
    """Each with the one that is probably meant, even where a setting is wrong too."""
    monkeypatch.setenv("PREFACTOR_LOCL", "1")
    assert examine()["variable"] == ("warn", "PREFACTOR_LOCL is no setting and changes nothing")
    monkeypatch.setenv("PREFACTOR_MAX_AGE", "soon")
    code, text = run("doctor")
    assert code == 1
    assert "did you mean PREFACTOR_LOCAL?" in text


def test_a_service_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With the token, which is never shown."""
    monkeypatch.setenv("PREFACTOR_API_TOKEN", "s3cret")
    with Store(tmp_path / "a.db") as store, Server(Api(store, token="s3cret")) as server:
        monkeypatch.setenv("PREFACTOR_API_URL", server.url)
        found = examine()
        assert (found["service"][0], found["token"], found["clock"][0]) == (
            "ok",
            ("ok", "accepted"),
            "ok",
        )
        monkeypatch.setenv("PREFACTOR_API_TOKEN", "wrong")
        assert examine()["token"] == ("fail", "refused with 401")
    found = examine()
    assert found["service"][0] == "fail"
    assert "wrong" not in found["service"][1]


def test_another_service_and_another_time_are_noticed(monkeypatch: pytest.MonkeyPatch):
    """A web server that is no Prefactor, with a clock that is years off."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(404)
            self.send_header("Date", "Thu, 01 Jan 2015 00:00:00 GMT")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("PREFACTOR_API_TOKEN", "t")
        monkeypatch.setenv("PREFACTOR_API_URL", f"http://127.0.0.1:{server.server_address[1]}")
        found = examine()
    assert found["service"][1].endswith("answers with 404")
    assert found["clock"][0] == "warn"


def test_a_spool_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And one that can is fine, also before it is made."""
    monkeypatch.setenv("PREFACTOR_SPOOL_DIR", str(tmp_path / "new" / "spool"))
    assert examine()["spool"][0] == "ok"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PREFACTOR_SPOOL_DIR", str(tmp_path))
    assert examine()["spool"][0] == "ok"


@pytest.mark.parametrize("variable", ["PREFACTOR_LOCAL_DB", "PREFACTOR_SPOOL_DIR"])
def test_a_place_where_nothing_can_be_made_is_named(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Below a file, on a file system that takes none, and behind a link to such a place."""
    monkeypatch.setenv("PREFACTOR_LOCAL", "1")
    about = {"PREFACTOR_LOCAL_DB": "database", "PREFACTOR_SPOOL_DIR": "spool"}[variable]
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file" / "a")
    places = [tmp_path / "file" / "a.db", tmp_path / "link" / "a.db"]
    if Path("/proc/self").exists():
        places.append(Path("/proc/x/y.db"))
    for place in places:
        monkeypatch.setenv(variable, str(place))
        assert examine()[about] == ("fail", f"{place} cannot be made")


def test_a_folder_that_is_write_protected_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also below a database that is there: its journal stands beside it."""
    monkeypatch.setenv("PREFACTOR_LOCAL", "1")

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert examine()["database"] == ("fail", f"{tmp_path / 'a.db'} cannot be made")
    record(tmp_path / "a.db")
    assert examine()["database"] == ("fail", f"{tmp_path / 'a.db'} cannot be written to")


def test_what_waits_in_the_spool_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without what is settled; looking at it leaves it there."""
    monkeypatch.setenv("PREFACTOR_SPOOL_DIR", str(tmp_path))
    spool = Spool(tmp_path, "there", 1 << 20)
    keys = [f"key-of-item-{number}" for number in range(3)]
    spool.add([(key, f'{{"idempotency_key":"{key}"}}'.encode()) for key in keys])
    spool.settle(keys[:1])
    for _ in range(2):
        assert examine()["spool"] == (
            "warn",
            f"{tmp_path}, in which 2 items wait to be sent",
        )
    spool.settle(keys[1:])
    spool.close()
    assert examine()["spool"] == ("ok", f"{tmp_path}, in which nothing waits")


def test_it_reads_well(capsys: pytest.CaptureFixture[str]):
    """A line each, with what to do below."""
    lines = output("doctor").splitlines()
    assert lines[0].startswith("ok    version    prefactor_trace ")
    assert any(line.strip().startswith("→ nothing is recorded") for line in lines)
