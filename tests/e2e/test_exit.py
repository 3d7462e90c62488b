"""The end of the process: what is left is sent, what is open is closed, and it does end."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from prefactor_trace._pipeline.orphans import find_orphans
from prefactor_trace.server import Store

BEGIN = """
    import os, sys, threading
    import prefactor_trace as prefactor
"""

BY_CTRL_C = 0xC000013A if sys.platform == "win32" else -signal.SIGINT


def run(code, **variables):
    """Run a program with these settings and return how it ended."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFACTOR_")}
    environment |= {f"PREFACTOR_{name.upper()}": str(v) for name, v in variables.items()}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BEGIN) + textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_while_away(code, **variables):
    """Run a program for a service that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    target = {"api_url": f"http://127.0.0.1:{port}", "api_token": "a-token-of-the-tests"}
    return run(code, **target, agent_id="a", **variables)


def recorded(path):
    """Return the instances and spans in a database, as status by name."""
    with Store(path) as store:
        runs = store.list_instances()
        return [one.status for one in runs], {
            span.payload.get("prefactor.schema_name", span.schema_name): span
            for one in runs
            for span in store.list_spans(one.id)
        }


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("raise KeyError('no')", 1),
        ("sys.exit('no')", 1),
        ("raise KeyboardInterrupt", BY_CTRL_C),
    ],
)
def test_what_is_left_is_sent_at_exit(tmp_path, ending, code):
    """However the program ends, its spans arrive, and its exit code is its own."""
    program = f"""
        with prefactor.instance("agent"), prefactor.span("step"):
            pass
        with prefactor.span("outside"):
            {ending}
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db", agent_id="exit")
    assert ended.returncode == code, ended.stderr
    statuses, spans = recorded(tmp_path / "a.db")
    assert statuses == ["complete", "complete"]
    assert spans["step"].status == "complete"
    assert spans["outside"].status == ("complete" if code == 0 else "failed")


def test_with_a_spool_what_is_left_is_sent_at_exit_too(tmp_path):
    """Though the thread that sends would be begun only then, which newer Pythons refuse."""
    program = """
        with prefactor.instance("agent"), prefactor.span("step"):
            pass
    """
    ended = run(
        program,
        local=1,
        local_db=tmp_path / "a.db",
        spool_dir=tmp_path / "spool",
        exit_timeout=3600,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    statuses, spans = recorded(tmp_path / "a.db")
    assert statuses == ["complete"]
    assert spans["step"].status == "complete"
    assert list(find_orphans(tmp_path / "spool", None)) == []


def test_a_plugin_of_pydantics_that_cannot_be_loaded_at_exit_costs_nothing(tmp_path):
    """It is whoever's that is installed; Logfire's is such a one."""
    installed = tmp_path / "installed"
    about = installed / "plugged-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[pydantic]\nplugged = plugged:plugin\n")
    (installed / "plugged.py").write_text("raise RuntimeError('not after shutdown')\n")
    program = f"""
        sys.path.append({str(installed)!r})
        with prefactor.instance("agent"), prefactor.span("step"):
            pass
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db")
    assert (ended.returncode, ended.stderr) == (0, "")
    statuses, spans = recorded(tmp_path / "a.db")
    assert statuses == ["complete"]
    assert spans["step"].status == "complete"


def test_open_spans_are_closed_as_failed_with_a_reason(tmp_path):
    """Nobody will end a span that is open at exit: it has failed, and says why."""
    program = """
        run = prefactor.instance("agent")
        run.__enter__()
        outer = prefactor.start_span("sent", {"a": 1})
        prefactor.flush()
        inner = prefactor.start_span("unsent", parent=outer)
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db", agent_id="exit")
    assert (ended.returncode, ended.stderr) == (0, "")
    statuses, spans = recorded(tmp_path / "a.db")
    assert statuses == ["failed"]
    assert {span.status for span in spans.values()} == {"failed"}
    assert "exited" in spans["sent"].result_payload["message"]
    assert "exited" in spans["unsent"].result_payload["message"]
    assert spans["unsent"].parent_span_id == spans["sent"].id


@pytest.mark.parametrize("timeout", [0, 0.5])
def test_what_is_said_to_be_lost_is_not_in_the_database(tmp_path, timeout):
    """What there was no time for does not arrive later, and is counted to the span."""
    program = """
        with prefactor.instance("agent"):
            for number in range(30_000):
                with prefactor.span("step"): pass
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db", agent_id="x", exit_timeout=timeout)
    told = re.search(r"(\d+) spans .*could not be .*; they are lost(.*)", ended.stderr)
    assert told is not None, ended.stderr
    with Store(tmp_path / "a.db") as store:
        arrived = sum(run.span_counts.total for run in store.list_instances())
    # A request that is not waited for may still have been taken, and that is said.
    unsure = re.search(r"but for (\d+) whose answer is not known", told[2])
    assert arrived - (int(unsure[1]) if unsure else 0) <= 30_000 - int(told[1]) <= arrived
    assert ended.stderr.count("could not be delivered") == 1


def test_exit_ends_although_the_service_never_answers():
    """A service that accepts and is silent holds the exit up for no longer than is set.

    What it was sent may have arrived, and what is said does not deny it.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        program = "with prefactor.span('step'): pass"
        ended = run(program, api_url=url, api_token="t", exit_timeout=2, request_timeout=30)
    assert ended.returncode == 0, ended.stderr
    assert "they are lost, but for 4 whose answer is not known and may have arrived" in ended.stderr


def test_record_in_an_exit_function_arrives(tmp_path):
    """Recording goes on until the library's own end; no thread is needed for it."""
    program = """
        import atexit
        prefactor.configure()
        atexit.register(lambda: prefactor.span("late").__enter__())
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db", agent_id="exit")
    assert (ended.returncode, ended.stderr) == (0, "")
    _, spans = recorded(tmp_path / "a.db")
    assert spans["late"].status == "failed"


def test_a_finaliser_may_use_the_library_when_all_is_over(tmp_path):
    """Where modules are taken apart already, it records nothing, and raises nothing."""
    program = """
        class Connection:
            def __del__(self):
                with prefactor.span("close"): pass
                prefactor.flush(1)
        connection = Connection()
        connection.itself = connection
        with prefactor.span("step"): pass
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db", agent_id="exit")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "step" in recorded(tmp_path / "a.db")[1]


def test_off_has_no_thread_and_no_file(tmp_path):
    """Without a token nothing is started, imported or written; one line says why."""
    program = """
        @prefactor.span("step")
        def step(): return 1
        with prefactor.instance("agent"):
            assert step() == 1
        assert prefactor.flush()
        assert threading.active_count() == 1
        assert not {"httpx", "sqlite3"} & set(sys.modules)
    """
    ended = run(program, local_db=tmp_path / "a.db")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "PREFACTOR_API_TOKEN" in ended.stderr
    assert not (tmp_path / "a.db").exists()


def test_unused_tracer_starts_nothing_at_exit(tmp_path):
    """A program that records nothing pays nothing at its end."""
    program = """
        import atexit
        def check():
            assert threading.active_count() == 1
            print("checked")
        atexit.register(check)
        prefactor.configure()
    """
    ended = run(program, local=1, local_db=tmp_path / "a.db")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "checked\n", "")
    assert not (tmp_path / "a.db").exists()


def test_with_a_spool_the_end_waits_for_no_service_that_is_away(tmp_path):
    """What is on disk is for the next process to send, and this one may end at once."""
    code = """
        with prefactor.instance("agent"), prefactor.span("step"):
            pass
    """
    done = run_while_away(
        code,
        spool_dir=tmp_path / "spool",
        exit_timeout=3600,
    )
    assert "1 span and 3 other records could not be delivered" in done.stderr
    assert "they are kept in the spool" in done.stderr
    (orphan,) = find_orphans(tmp_path / "spool", None)
    assert len(orphan.read()) == 4
    orphan.close()


def test_what_found_no_room_in_the_spool_is_waited_for_and_said_to_be_lost(tmp_path):
    """Nobody else can deliver it."""
    code = """
        with prefactor.instance("agent"):
            for _ in range(3):
                with prefactor.span("step", {"text": "x" * 5_000}):
                    pass
                prefactor.flush(0.2)
    """
    done = run_while_away(
        code,
        spool_dir=tmp_path / "spool",
        spool_max_bytes=10_000,
        exit_timeout=2,
    )
    assert "they are kept in the spool, but for 2 that could not be written there" in done.stderr
    (orphan,) = find_orphans(tmp_path / "spool", None)
    assert len(orphan.read()) == 4
    orphan.close()


def test_what_was_dropped_is_said_once(tmp_path):
    """Though two tracers share what delivers, since the second took over what was left."""
    code = """
        first = prefactor.configure(max_buffer_spans=1, exit_timeout=0.1)
        with prefactor.instance("agent"):
            for _ in range(3):
                with prefactor.span("step"):
                    pass
        second = prefactor.configure(max_buffer_spans=1, exit_timeout=0.1)
        assert second._pipeline is first._pipeline
    """
    done = run(code, api_url="http://127.0.0.1:1", api_token="a-token-of-the-tests", agent_id="a")
    assert done.stderr.count("2 spans were dropped by this process") == 1


def test_what_was_dropped_is_said_in_all_at_the_end(tmp_path):
    """Its runs look as if they were whole."""
    code = """
        with prefactor.instance("agent"):
            for _ in range(30):
                with prefactor.span("step"):
                    pass
    """
    done = run(code, local=1, local_db=tmp_path / "a.db", max_buffer_spans=20)
    assert "10 spans were dropped by this process (buffer full: 10)" in done.stderr
