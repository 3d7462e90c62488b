"""`run`: a program behaves as under `python`, and its trace is shown at the end."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from prefactor_trace.server import Store

from .records import command, environment

AGENT = """
import sys
import prefactor_trace as prefactor

@prefactor.span("tool_call")
def double(x):
    return x * 2

@prefactor.instance("my-agent", version="2")
def answer():
    return double(21)

answer()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an agent in it."""
    (tmp_path / "agent.py").write_text(AGENT)
    return tmp_path


def extend(folder: Path, more: str) -> None:
    """Add lines to the agent."""
    (folder / "agent.py").write_text(AGENT + more)


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a program in the folder."""
    return command("run", *words, folder=folder)


def test_trace_goes_to_stderr(folder: Path) -> None:
    """Standard output is the program's own; the tree of what it did is on standard error."""
    extend(folder, "print('the answer')\n")
    done = run(folder, "agent.py")
    assert (done.returncode, done.stdout) == (0, "the answer\n")
    first, second = done.stderr.splitlines()
    assert re.match(r"my-agent 2  complete  .*  1 span  [0-9a-z]{32}$", first)
    assert second.startswith('└─ tool_call {"x": 21} → 42  ')


@pytest.mark.parametrize("words", [["agent.py"], ["-m", "agent"], ["-magent"], ["."]])
def test_program_sees_its_own_arguments(folder: Path, words: list[str]) -> None:
    """`sys.argv`, `__name__` and the first place of imports are as under `python`."""
    extend(folder, "print(sys.argv[1:], __name__, sys.path[0])\n")
    (folder / "agent.py").rename(folder / "__main__.py")
    (folder / "agent.py").write_text((folder / "__main__.py").read_text())
    done = run(folder, *words, "-m", "x", "--db", "y", "--help")
    where = "." if words == ["."] else str(folder.resolve())
    assert done.stdout == f"['-m', 'x', '--db', 'y', '--help'] __main__ {where}\n"
    assert "my-agent" in done.stderr


def test_package_is_run_by_its_main(folder: Path) -> None:
    """`-m PACKAGE` runs its `__main__`, with relative imports that work."""
    package = folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tool.py").write_text("ANSWER = 42\n")
    (package / "__main__.py").write_text("from .tool import ANSWER\nprint(ANSWER, __package__)\n")
    assert run(folder, "-m", "pack").stdout == "42 pack\n"


def test_error_keeps_its_traceback(folder: Path) -> None:
    """A program that raises ends with 1 and the traceback of `python`; the trace is shown too."""
    extend(folder, "def fall():\n    raise LookupError('lost')\nfall()\n")
    plain = subprocess.run(
        [sys.executable, "agent.py"],
        cwd=folder,
        env=environment(folder, {"PREFACTOR_ENABLED": "0"}),
        capture_output=True,
        text=True,
        check=False,
    )
    traceback = plain.stderr[plain.stderr.index("Traceback") :]
    done = run(folder, "agent.py")
    assert done.returncode == plain.returncode == 1
    assert done.stderr.startswith(traceback)
    assert "my-agent 2" in done.stderr[len(traceback) :]


@pytest.mark.parametrize("words", [["broken.py"], ["-m", "broken"]])
def test_syntax_error_is_the_programs(folder: Path, words: list[str]) -> None:
    """A program that is not Python gives Python's own message, without frames of ours."""
    (folder / "broken.py").write_text("def (:\n")
    done = run(folder, *words)
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "broken.py" in done.stderr
    assert "prefactor_trace/cli" not in done.stderr.replace("\\", "/")


def test_missing_import_is_the_programs(folder: Path) -> None:
    """A module that the program misses is its error; the module that was asked for is ours."""
    extend(folder, "import not_there_at_all\n")
    done = run(folder, "-m", "agent")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no luck')", 1, "no luck\n"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
    ],
)
def test_exit_code_is_kept(folder: Path, end: str, code: int, told: str) -> None:
    """However a program ends, the exit code is its own and the trace is shown."""
    extend(folder, end + "\n")
    done = run(folder, "agent.py")
    assert done.returncode == code
    assert told in done.stderr
    assert "tool_call" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["none.py"],
        ["-m", "no_such_module"],
        ["-m", "agent.inner"],
        ["-m", "json.tool.x"],
        ["empty"],
    ],
)
def test_no_such_program(folder: Path, words: list[str]) -> None:
    """A program that is not there gives one line that names it, and 2."""
    (folder / "empty").mkdir()
    done = run(folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[-1] in done.stderr
    assert len([line for line in done.stderr.splitlines() if "prefactor-trace:" in line]) == 1
    assert "Traceback" not in done.stderr


def test_nothing_recorded(folder: Path) -> None:
    """A program without a span is told in one line what to write."""
    (folder / "plain.py").write_text("print('hello')\n")
    done = run(folder, "plain.py")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert len(done.stderr.splitlines()) == 1
    assert "plain.py recorded nothing" in done.stderr
    assert "@prefactor.instance" in done.stderr


def test_a_variable_that_is_no_setting_is_named_once(folder: Path) -> None:
    """Also where the program makes no tracer, and only once where it does."""
    (folder / "idle.py").write_text("import prefactor_trace as p\n@p.span('a')\ndef f(): ...\n")
    (folder / "busy.py").write_text("import prefactor_trace as p\nwith p.span('a'): pass\n")
    for name in ("idle.py", "busy.py"):
        done = command("run", name, folder=folder, environ={"PREFACTOR_SAMPLE_RAT": "0.1"})
        assert done.returncode == 0
        assert done.stderr.count("did you mean PREFACTOR_SAMPLE_RATE?") == 1
        assert ("none of its decorated functions was called" in done.stderr) == (name == "idle.py")


OTHER = """
import prefactor_trace as prefactor
tracer = {tracer}
with tracer.instance("other-agent"):
    with tracer.span("step"): pass
"""


@pytest.mark.parametrize(
    ("tracer", "told"),
    [
        ("prefactor.Tracer()", "other-agent"),
        ("prefactor.configure(local_db='else.db')", "recorded in FOLDER/else.db, as the program"),
        ("prefactor.configure(sample_rate=0)", "none of its runs was sampled (sample_rate is 0)"),
        ("prefactor.configure(enabled=False)", "tracing is off: it is switched off"),
        ("1 / 0", "other.py ended with exit code 1 before it recorded anything"),
        (
            "prefactor.configure(local=0, api_url='http://[::1]:1', api_token='t', agent_id='a')",
            "nothing that other.py recorded has arrived",
        ),
    ],
)
def test_what_is_shown_fits_the_program(folder: Path, tracer: str, told: str) -> None:
    """A tracer of the program's own is shown; where nothing is, the last line has the cause."""
    (folder / "other.py").write_text(OTHER.format(tracer=tracer))
    done = run(folder, "other.py")
    assert told.replace("FOLDER", str(folder)) in done.stderr
    assert ("└─ step" in done.stderr) == ("other-agent" in done.stderr.replace(OTHER, ""))
    assert "put @prefactor.instance" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once here")
@pytest.mark.parametrize("agent", [AGENT, "import sys\n"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_terminated_program_shows_its_trace(folder: Path, agent: str, name: str) -> None:
    """What was recorded before is printed, and the signal ends the process as ever."""
    more = f"import os, signal\nos.kill(os.getpid(), signal.{name})\nprint('went on')\n"
    (folder / "agent.py").write_text(agent + more)
    done = run(folder, "agent.py")
    assert (done.returncode, done.stdout) == (-getattr(signal, name), "")
    shown = "└─ tool_call" if agent == AGENT else "was terminated before it recorded anything"
    assert shown in done.stderr


IN_THREAD = """
import os, signal, subprocess, threading
before = signal.signal(signal.SIGTERM, lambda *told: None)  # as a server does
thread = threading.Thread(target=answer)
thread.start()
thread.join()
if sys.argv[1:]:
    subprocess.run([sys.executable, "agent.py"])
signal.signal(signal.SIGTERM, before)
os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once here")
def test_program_that_records_only_in_threads(folder: Path) -> None:
    """That no handlers can be set there is not said: neither it nor its child asked for them."""
    (folder / "agent.py").write_text(AGENT.removesuffix("answer()\n") + IN_THREAD)
    done = run(folder, "agent.py", "and a child")
    assert "handle_signals" not in done.stderr
    assert done.stderr.count("my-agent 2  ") == 1


SERVED = """
import prefactor_trace as prefactor

async def app(scope, receive, send):
    assert scope["type"] == "http"  # uvicorn goes on without a lifespan
    async with prefactor.instance("request"):
        assert (await receive())["body"] == b"1"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        assert (await receive())["body"] == b"2"
        with prefactor.span("after the signal"):
            await send({"type": "http.response.body", "body": b"ended"})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once here")
def test_server_that_is_terminated_during_a_request(tmp_path: Path) -> None:
    """It answers first, as it would without us; the run is complete, and the tree is printed."""
    pytest.importorskip("uvicorn")
    (tmp_path / "served.py").write_text(SERVED)
    words = "run -m uvicorn served:app --port 0"
    with subprocess.Popen(
        [sys.executable, "-m", "prefactor_trace.cli", *words.split()],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        listening = next(line for line in server.stderr if "running on" in line)
        port = int(re.findall(r"127\.0\.0\.1:(\d+)", listening)[0])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\n1")
            with client.makefile("rb") as answer:
                assert any(b"begun" in line for line in iter(answer.readline, b""))
                server.terminate()
                assert any("Shutting down" in line for line in server.stderr)
                client.sendall(b"2")
                assert b"ended" in answer.read()
        said = server.stderr.read()
    assert server.returncode == -signal.SIGTERM
    assert re.search(r"^request  complete .*\n└─ after the signal  ", said, re.MULTILINE), said


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nobody can watch here")
@pytest.mark.parametrize(("end", "code"), [("os.kill(os.getpid(), 9)", -9), ("os._exit(3)", 3)])
def test_killed_program_shows_what_had_arrived(folder: Path, end: str, code: int) -> None:
    """The run is still open, as nobody could end it; the first line says what has happened."""
    extend(folder, f"import os\nwith prefactor.instance('open'): prefactor.flush(); {end}\n")
    done = run(folder, "agent.py")
    assert done.returncode == code
    first, second, *_ = done.stderr.splitlines()
    assert first.startswith("prefactor-trace: agent.py did not come to its end: it was killed, ")
    assert second.startswith("my-agent 2  complete")
    assert "open  active" in done.stderr


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nobody can watch here")
def test_killed_program_of_which_nothing_had_arrived(folder: Path) -> None:
    """That is said, too."""
    (folder / "agent.py").write_text("import os\nos._exit(0)\n")
    assert run(folder, "agent.py").stderr.endswith("prefactor-trace: nothing had arrived\n")


@pytest.mark.parametrize(("said", "seconds"), [("", "30.0"), ("2", "2.0")])
def test_the_database_has_time_to_take_all(folder: Path, said: str, seconds: str) -> None:
    """What is left at the end has longer than on the way to a service, or as long as is said."""
    extend(folder, "print(prefactor.configure()._exit_timeout)\n")
    environ = {"PREFACTOR_EXIT_TIMEOUT": said} if said else {}
    assert command("run", "agent.py", folder=folder, environ=environ).stdout == f"{seconds}\n"


@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), signal.SIGTERM)"])
def test_what_has_no_time_to_arrive_is_counted(folder: Path, end: str) -> None:
    """The last line says how many spans are missing, and none of them arrives afterwards."""
    if end and sys.platform == "win32":
        pytest.skip("signals end a process at once here")
    loop = "with prefactor.instance('busy'):\n    for number in range(30_000): double(number)\n"
    extend(folder, f"import os, signal\n{loop}{end}\n")
    done = command("run", "agent.py", folder=folder, environ={"PREFACTOR_EXIT_TIMEOUT": "1"})
    last = done.stderr.splitlines()[-1]
    told = re.fullmatch(
        r"prefactor-trace: of 30001 spans (\d+) arrived: (\d+) not delivered in time", last
    )
    assert told is not None, done.stderr
    with Store(folder / "traces.db") as store:
        arrived = sum(run.span_counts.total for run in store.list_instances())
    assert (int(told[1]), int(told[2])) == (arrived, 30_001 - arrived)
    assert done.stderr.count("could not be delivered") == 1


def test_dropped_spans_are_counted_at_the_end(folder: Path) -> None:
    """What the buffer had no room for is told with its number, below what did arrive."""
    extend(folder, "with prefactor.instance('busy'):\n    for x in range(50): double(x)\n")
    few = {"PREFACTOR_MAX_BUFFER_SPANS": "10", "PREFACTOR_FLUSH_INTERVAL": "60"}
    last = command("run", "agent.py", folder=folder, environ=few).stderr.splitlines()[-1]
    told = re.fullmatch(
        r"prefactor-trace: of 51 spans (\d+) arrived: (\d+) dropped \(buffer full\)", last
    )
    assert told is not None, last
    assert int(told[1]) + int(told[2]) == 51


def test_program_with_a_closed_output(folder: Path) -> None:
    """A program that is started without standard output or standard error ends as it would."""
    extend(folder, "sys.exit(3)\n")
    closing = (
        "import os, sys; os.close({}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    for stream in (1, 2):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                closing.format(stream),
                "-m",
                "prefactor_trace.cli",
                "run",
                "agent.py",
            ],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3
        assert ("└─ tool_call" in done.stderr) == (stream == 1)
        assert "Traceback" not in done.stderr


def test_help_says_whose_arguments_are_whose(folder: Path) -> None:
    """The help of `run` says where `--db` has to stand."""
    assert "What follows SCRIPT or MODULE is the program's own" in run(folder, "--help").stdout


def test_wrong_setting_is_said_before_the_program_runs(folder: Path) -> None:
    """A variable that cannot be used gives one line that names it, and nothing runs."""
    extend(folder, "print('ran')\n")
    wrong = {"PREFACTOR_FLUSH_INTERVAL": "soon"}
    done = command("run", "agent.py", folder=folder, environ=wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "PREFACTOR_FLUSH_INTERVAL" in done.stderr


def test_late_threads_and_exit_handlers_count(folder: Path) -> None:
    """What runs after the main script, and still needs `__main__`, is in the tree."""
    extend(
        folder,
        """
import atexit, pickle, threading
from concurrent.futures import ThreadPoolExecutor

class Thing: ...

gate = threading.Event()

def late():
    gate.wait()
    assert isinstance(pickle.loads(pickle.dumps(Thing())), Thing)
    with prefactor.span("late thread"): pass

def bye():
    with prefactor.span("exit handler"): pass

threading.Thread(target=late).start()
atexit.register(bye)
pool = ThreadPoolExecutor(1)
pool.submit(gate.set)
""",
    )
    done = run(folder, "agent.py")
    assert done.returncode == 0
    assert "late thread" in done.stderr
    assert "exit handler" in done.stderr
    assert "Traceback" not in done.stderr


def test_children_record_into_the_same_session(folder: Path) -> None:
    """The agents of child processes are shown too; a later run does not show them again."""
    extend(folder, "import subprocess\nsubprocess.run([sys.executable, 'child.py'], check=True)\n")
    (folder / "child.py").write_text(AGENT.replace("my-agent", "child-agent"))
    done = run(folder, "agent.py")
    assert "my-agent 2" in done.stderr
    assert "child-agent 2" in done.stderr
    assert "my-agent 2" not in run(folder, "child.py").stderr
    with Store(folder / "traces.db") as store:
        sessions = [one.session for one in store.list_instances()]
    assert sessions[1] == sessions[2] != sessions[0]


def test_forked_child_prints_nothing(folder: Path) -> None:
    """A child made by fork leaves the printing to its parent."""
    if sys.platform == "win32":
        pytest.skip("there is no fork")
    extend(
        folder,
        """
import os
prefactor.flush()
if (child := os.fork()):
    os.waitpid(child, 0)
else:
    sys.exit(0)
""",
    )
    done = run(folder, "agent.py")
    assert done.stderr.count("my-agent 2") == 1


def test_db_wins(folder: Path) -> None:
    """`--db` wins over the variable, also for a program that changes its folder."""
    (folder / "else").mkdir()
    extend(folder, "import os\nos.chdir('else')\n")
    assert run(folder, "--db", "own.db", "agent.py").returncode == 0
    connection = sqlite3.connect(folder / "own.db")
    assert connection.execute("SELECT count(*) FROM agent_instances").fetchone() == (1,)
    connection.close()
    assert not (folder / "traces.db").exists()


def test_program_that_closes_its_streams(folder: Path) -> None:
    """A program that closed stdout and stderr ends as it would have."""
    extend(folder, "sys.stdout.close()\nsys.stderr.close()\n")
    assert run(folder, "agent.py").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGCHLD")
def test_a_program_whose_children_nobody_waits_for(folder: Path) -> None:
    """That children are not to be waited for is inherited, and no reason not to run."""
    ignored = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    start = (
        "os.execv(sys.executable, [sys.executable, '-m', 'prefactor_trace.cli', 'run', 'agent.py'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ignored + start],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "did not come to its end" not in done.stderr
    assert "└─ tool_call" in done.stderr
