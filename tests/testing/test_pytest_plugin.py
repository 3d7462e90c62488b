"""The pytest plugin, in test runs of its own."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

AGENT = """
import prefactor_trace as prefactor

@prefactor.span("tool_call")
def search(query):
    if query == "bad":
        raise TimeoutError("no answer")
    return query

@prefactor.instance("agent")
def run_agent(*queries):
    with prefactor.span("plan"):
        return [search(query) for query in queries]
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run tests in a process of their own, with an agent beside them."""
    for name in ("PREFACTOR_OFFLINE", "PREFACTOR_API_TOKEN", "PREFACTOR_LOCAL", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(pytester.path / "local.db"))
    pytester.makepyfile(agent=AGENT)

    def run(tests: str, *words: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider\n{ini}")
        pytester.makepyfile(test_it=textwrap.dedent(tests))
        return pytester.runpytest_subprocess(*words)

    return run


def test_a_test_of_an_agent(run):
    """The fixture under both names, alone and after another test."""
    run(
        """
        from agent import run_agent

        def test_a(captrace):
            run_agent("a")
            captrace.assert_tree("plan\\n  tool_call")

        def test_b(prefactor_spans, captrace):
            assert prefactor_spans is captrace
            run_agent("b")
            assert captrace["tool_call"].payload == {"query": "b"}
        """
    ).assert_outcomes(passed=2)


def test_a_failure_shows_the_trace_once(run):
    """In the words of the assertion; where the test failed by itself, in a section."""
    result = run(
        """
        from agent import run_agent

        def test_asked(captrace):
            run_agent("a")
            captrace.one("tool_call", query="x")

        def test_broken(captrace):
            run_agent("a", "bad")

        def test_count(captrace):
            run_agent("a", "b", "c")
            assert captrace.count("tool_call") <= 2

        def test_like(captrace):
            run_agent("a")
            assert captrace["tool_call"] == {"query": "b"}
        """
    )
    result.assert_outcomes(failed=4)
    text = result.stdout.str()
    asked, broken, rest = (part for part in text.split("\n____")[1:4])
    assert "captured: 2 spans, 1 instance" in asked
    assert "Captured prefactor trace" not in asked
    assert "recorder.py" not in asked
    assert "Captured prefactor trace" in broken
    assert "TimeoutError" in broken
    assert "3 <= 2" in rest
    assert "<- #4" in rest
    result.stdout.fnmatch_lines(['*payload.query  expected "b", was "a"'])


def test_a_trace_that_is_not_sound_fails_its_test(run):
    """Not where the test says otherwise, nor where it has failed by itself."""
    tests = """
        import pytest
        import prefactor_trace as prefactor

        def leave_open():
            with prefactor.instance("agent"):
                prefactor.start_span("stream")

        def test_open(captrace):
            leave_open()

        def test_twice(captrace):
            with prefactor.instance("agent"):
                span = prefactor.start_span("stream")
                span.complete()
                span.fail()

        def test_types(captrace):
            prefactor.declare("typed", params={"type": "object", "required": ["n"]})
            with prefactor.instance("agent"), prefactor.span("typed"):
                pass

        @pytest.mark.prefactor(allow_unfinished=["stream"])
        def test_allowed(captrace):
            leave_open()

        @pytest.mark.prefactor(strict=False)
        def test_not_strict(captrace):
            leave_open()

        def test_failed_by_itself(captrace):
            leave_open()
            assert False

        @pytest.fixture
        def opened(captrace):
            with prefactor.instance("agent"), prefactor.span("around"):
                yield

        def test_around(opened):
            pass
    """
    result = run(tests)
    result.assert_outcomes(failed=4, passed=3)
    result.stdout.fnmatch_lines(
        [
            "the trace is not sound: stream #1 (test_it.py:*) never ended",
            "the trace is not sound: stream was ended twice (test_it.py:*)",
            "the trace is not sound: typed #1 (test_it.py:*): payload.n  *",
        ]
    )
    assert result.stdout.str().count("\nthe trace is not sound") == 3
    told = str(result.stdout).partition("short test summary info")[0]  # has all again in CI
    ways_out = re.findall(r"^\(@pytest\.mark\.prefactor\((.*)\) lets it be\)$", told, re.MULTILINE)
    assert ways_out == ["allow_unfinished=['stream']", "strict=False", "strict=False"]
    run(tests, ini="prefactor_strict = false").assert_outcomes(failed=1, passed=6)


def test_nothing_leaves_a_test_run(run, pytester: pytest.Pytester):
    """Also without the fixture, from code that was configured at import; unless it is asked for."""
    tests = """
        import pytest
        import prefactor_trace as prefactor

        prefactor.configure(api_token="real", api_url="http://127.0.0.1:9")
        own = prefactor.Tracer(local=True)

        def record(tracer):
            with tracer.instance("agent"), tracer.span("step"):
                pass
            return tracer.flush(20)

        def test_default():
            assert record(prefactor)

        def test_own(captrace):
            assert record(own)
            assert captrace["step"]

        @pytest.mark.prefactor(live=True)
        def test_live():
            prefactor.configure(local=True)
            assert record(prefactor)

        @pytest.mark.prefactor(live=True)
        def test_live_and_looked_at(captrace, monkeypatch):
            assert record(prefactor)
            assert captrace["step"]
    """
    run(tests, "-k", "not live").assert_outcomes(passed=2, deselected=2)
    assert not (pytester.path / "local.db").exists()
    run(tests, "-k", "live and not looked").assert_outcomes(passed=1, deselected=3)
    (pytester.path / "local.db").unlink()
    pytester.makeconftest("import os\nos.environ['PREFACTOR_LOCAL'] = '1'")
    run(tests, "-k", "looked").assert_outcomes(passed=1, deselected=3)
    assert (pytester.path / "local.db").exists()


def test_a_live_test_of_which_nothing_arrives_fails(run, monkeypatch: pytest.MonkeyPatch):
    """It says why, and is as patient with the service as a program would be."""
    monkeypatch.setenv("PREFACTOR_API_TOKEN", "real")
    monkeypatch.setenv("PREFACTOR_API_URL", "http://127.0.0.1:9")
    result = run(
        """
        import prefactor_trace as prefactor
        import pytest
        from prefactor_trace._default import default

        def record():
            with prefactor.instance("agent"), prefactor.span("step"):
                pass
            return default.tracer()._get_settings().retry_first_delay

        def test_not_live(captrace):
            assert record() < 0.1

        @pytest.mark.prefactor(live=True)
        def test_live(captrace):
            assert record() > 0.1
            assert captrace.count("step") == 1
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    assert "nothing was delivered: " in result.stdout.str()


def test_an_evaluation_records_its_outcome(run, pytester: pytest.Pytester):
    """As the quality of its runs, where it is live; with its purpose in any case."""
    tests = """
        import pytest
        import prefactor_trace as prefactor
        from agent import run_agent

        @pytest.mark.prefactor(purpose="eval")
        def test_answer():
            run_agent("a")

        @pytest.mark.prefactor(purpose="eval")
        def test_purpose(captrace):
            run_agent("bad")
    """
    run(tests).assert_outcomes(passed=1, failed=1)
    assert not (pytester.path / "local.db").exists()
    pytester.makeconftest("import os\nos.environ['PREFACTOR_LOCAL'] = '1'")
    run(tests, "--prefactor-live").assert_outcomes(passed=1, failed=1)
    from prefactor_trace.server import Store

    with Store(pytester.path / "local.db") as store:
        runs = store.list_instances()
    assert {one.purpose for one in runs} == {"eval"}
    assert sorted(one.quality_payloads["test_outcome"]["outcome"] for one in runs) == [
        "failed",
        "passed",
    ]


def test_traces_are_printed_and_kept_on_demand(run, pytester: pytest.Pytester):
    """Of all tests, of none; in the local database."""
    tests = """
        from agent import run_agent

        def test_good(captrace):
            run_agent("a")

        def test_bad(captrace):
            run_agent("bad")

        def test_counted(captrace, prefactor_clock):
            run_agent("bad")
    """
    assert "test_good" in run(tests, "--prefactor-trace=all").stdout.str()
    run(tests, "--prefactor-trace=all").stdout.fnmatch_lines(["*test_good: Captured prefactor*"])
    assert "captured: " not in run(tests, "--prefactor-trace=none").stdout.str()
    saved = run(tests, "--prefactor-save")
    again = run(tests, "--prefactor-save", "-k", "counted")  # whose ids count from 1 as well
    lines = [
        one
        for result in (saved, again)
        for one in result.outlines
        if one.startswith("prefactor-trace show ")
    ]
    assert len(set(lines)) == 3
    for line in lines:
        shown = subprocess.run(
            [sys.executable, "-m", "prefactor_trace.cli", *line.split()[1:]],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "tool_call" in shown.stdout


@pytest.mark.parametrize("runner", ["asyncio", "anyio", "trio"])
def test_every_runner_of_coroutines(run, runner: str):
    """Spans of tasks land under the span that started them."""
    mark = {"asyncio": "asyncio", "anyio": "anyio", "trio": "anyio"}[runner]
    backend = {"anyio": "asyncio"}.get(runner, runner)
    run(
        f"""
        import anyio
        import pytest
        import prefactor_trace as prefactor

        @pytest.fixture
        def anyio_backend():
            return "{backend}"

        async def tool(n):
            async with prefactor.span("tool_call", {{"n": n}}):
                await anyio.sleep(0.001)

        @pytest.mark.{mark}
        async def test_it(captrace):
            async with prefactor.instance("agent"), prefactor.span("plan"):
                async with anyio.create_task_group() as group:
                    group.start_soon(tool, 1)
                    group.start_soon(tool, 2)
            captrace.assert_tree("plan\\n  tool_call x2")
        """
    ).assert_outcomes(passed=1)


def test_in_several_processes(run):
    """The trace of a failure travels with its report."""
    result = run(
        """
        import pytest
        from agent import run_agent

        @pytest.mark.parametrize("n", range(8))
        class TestAgent:
            def test_it(self, captrace, n):
                run_agent(str(n))
                assert captrace["tool_call"].payload == {"query": str(n)}
                assert n != 5
        """,
        "-n",
        "2",
    )
    result.assert_outcomes(passed=7, failed=1)
    result.stdout.fnmatch_lines(["*Captured prefactor trace*", "captured: 2 spans*"])


def test_the_other_fixtures(run):
    """A clock that counts, settings of a test, a real server."""
    run(
        """
        import prefactor_trace as prefactor
        from agent import run_agent

        def test_clock(prefactor_clock, captrace):
            run_agent("a")
            assert captrace["tool_call"].duration == 0.001
            assert captrace["tool_call"].id.startswith("00000000")

        def test_config(prefactor_config, captrace):
            prefactor_config(capture_inputs=False)
            run_agent("a")
            assert captrace["tool_call"].payload == {}

        def test_server(prefactor_server):
            tracer = prefactor.Tracer(api_url=prefactor_server.url, api_token="t", offline=False)
            with tracer.instance("agent"), tracer.span("step"):
                pass
            assert tracer.flush()
        """
    ).assert_outcomes(passed=3)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_that_a_fixture_of_anyio_opens_is_that_of_the_test(run, backend):
    """Both run in one task, on either backend; so is a span that the fixture itself is."""
    run(
        f"""
        import prefactor_trace as prefactor
        import pytest
        from agent import search

        @pytest.fixture
        def anyio_backend():
            return "{backend}"

        @pytest.fixture
        async def opened(captrace):
            async with prefactor.instance("agent") as run:
                yield run

        @pytest.fixture
        @prefactor.span("fixture")
        async def decorated(opened):
            yield 1

        @pytest.mark.anyio
        async def test_it(opened, decorated):
            assert prefactor.current_instance() is opened
            assert prefactor.current_span().schema_name == "fixture"
            search("a")
        """,
        ini="asyncio_mode = strict\n",
    ).assert_outcomes(passed=1)


def test_a_wrong_marker_is_an_error_of_its_test(run):
    """It names what would be right; the others run."""
    result = run(
        """
        import pytest

        @pytest.mark.prefactor(stric=False)
        def test_it(captrace):
            pass

        @pytest.mark.prefactor(purpose="evall")
        def test_purpose():
            pass

        @pytest.mark.prefactor(allow_unfinished=True)
        def test_unfinished():
            pass

        @pytest.mark.prefactor(allow_unfinished="stream")
        def test_text():
            pass

        def test_good():
            pass
        """
    )
    result.assert_outcomes(errors=4, passed=1)
    text = result.stdout.str()
    assert "does not take stric; it takes allow_errors" in text
    assert "takes one of live, smoke_test, eval as purpose, got 'evall'" in text
    assert "takes a list of span types as allow_unfinished, got True" in text
    assert "takes a list of span types as allow_unfinished, got 'stream'" in text
    assert "_prefactor_trace_pytest.py" not in text


def test_a_fixture_that_fails_shows_the_trace(run, pytester: pytest.Pytester):
    """Before the test or after it, once; and it is kept."""
    result = run(
        """
        import pytest
        from agent import run_agent

        @pytest.fixture
        def before(captrace):
            run_agent("before")
            raise ValueError("before")

        @pytest.fixture
        def after(captrace):
            yield
            run_agent("after")
            raise ValueError("after")

        def test_before(before):
            pass

        def test_after(after):
            pass

        def test_both(after):
            run_agent("both")
            raise ValueError("itself")
        """,
        "--prefactor-save",
        "--junitxml=all.xml",
    )
    result.assert_outcomes(errors=3, passed=1, failed=1)
    text = result.stdout.str()
    assert text.count("Captured prefactor trace") == text.count("prefactor-trace show") == 3
    in_file = (pytester.path / "all.xml").read_text(encoding="utf-8")
    for query in ("before", "after", "both"):
        assert f'tool_call {{"query": "{query}"}}' in in_file


def test_the_trace_of_a_test_that_has_passed_is_printed_once(run):
    """Also where pytest prints what it has captured of such tests."""
    test = """
        from agent import run_agent

        def test_it(captrace):
            run_agent("a")
        """
    for words in ([], ["-rP"]):
        text = run(test, "--prefactor-trace=all", *words).stdout.str()
        assert text.count("captured: 2 spans") == 1


def test_a_fault_of_delivery_is_no_loss_at_the_end(run):
    """Nothing is told on stderr of what a test has recorded."""
    result = run(
        """
        from agent import run_agent

        def test_it(captrace):
            captrace.fail_delivery(401)
            run_agent("a")
            assert captrace.count("plan") == 1
        """
    )
    result.assert_outcomes(passed=1)
    assert "could not be delivered" not in result.stderr.str()


def test_unused_it_costs_next_to_nothing(run, monkeypatch: pytest.MonkeyPatch):
    """No import of the library, no thread."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others may load what they like
    run(
        """
        import sys
        import threading

        def test_it():
            assert "_prefactor_trace_pytest" in sys.modules
            assert not {"prefactor_trace", "httpx", "pydantic", "wrapt"} & set(sys.modules)
            assert threading.active_count() == 1
        """,
        "-p",
        "_prefactor_trace_pytest",
    ).assert_outcomes(passed=1)


def test_the_environment_is_put_back():
    """A run in this process leaves no trace in it."""
    program = (
        "import os, pytest\n"
        "before = dict(os.environ)\n"
        "pytest.main(['--version', '-p', 'no:cacheprovider'])\n"
        "pytest.main(['-q', '--co', '-p', 'no:cacheprovider', os.devnull])\n"
        "after = {k: v for k, v in os.environ.items() if 'PYTEST' not in k}\n"
        "print(after == {k: v for k, v in before.items() if 'PYTEST' not in k})"
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(os.sep),
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "True"


def test_an_error_is_shown_where_the_test_has_asked(run):
    """Without the lines of this library: of a tree's text, and of a call that is replayed."""
    result = run(
        """
        from agent import run_agent, search
        import prefactor_trace as prefactor

        def test_tree(captrace):
            run_agent("a")
            captrace.assert_tree("plan\\n  tool_call\\n    x\\n   y")

        def test_replay(captrace):
            failed = {"payload": {"query": "a"}, "status": "failed"}
            error = {"error_type": "gone.Broke", "message": "in pieces"}
            captrace.replay("tool_call", from_=[failed | {"result_payload": error}])
            with prefactor.instance():
                search("a")
        """
    )
    result.assert_outcomes(failed=2)
    shown = result.stdout.str().partition("short test summary")[0]
    assert "line 4 of the tree: indented by 3" in shown
    assert "gone.Broke: in pieces" in shown
    assert "prefactor_trace/" not in shown


def test_one_line_says_what_is_not_sound(run):
    """In the summary, and with the place of the test where there is one line for each failure."""
    result = run(
        """
        import prefactor_trace as prefactor

        def test_open(captrace):
            prefactor.start_span("stream")

        def test_without_fixture():
            with prefactor.span("step"):
                pass
            assert False
        """,
        "--tb=line",
        "-rf",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_it.py:3: Failed: the trace is not sound: stream #1 (test_it.py:4) never ended",
            "FAILED test_it.py::test_open - Failed: the trace is not sound: stream #1*",
        ]
    )
    assert "API_TOKEN" not in result.stdout.str()


def test_a_count_between_two_numbers_shows_the_trace(run):
    """It stands on the right of the first comparison; values are shown whole where asked for."""
    tests = """
        import prefactor_trace as prefactor

        def test_count(captrace):
            with prefactor.instance("agent"), prefactor.span("step", {"text": "x" * 300}):
                pass
            assert 2 <= captrace.count("step") <= 3

        def test_like(captrace):
            with prefactor.instance("agent"), prefactor.span("step", {"text": "x" * 300}):
                pass
            captrace["step"].like({"text": "y" * 300})

        def test_text():
            assert False
        """
    result = run(tests)
    result.stdout.fnmatch_lines(["*assert 2 <= 1", "*captured: 1 span, 1 instance*", "*<- #1"])
    assert "x" * 300 not in result.stdout.str()
    text = run(tests, "-vv").stdout.str()
    assert f'expected "{"y" * 300}", was "{"x" * 300}": they differ from character 1 on' in text


def test_that_a_type_is_or_is_not_in_a_trace_shows_the_trace(run):
    """With what there is of it, or a name that may be meant."""
    tests = """
        import prefactor_trace as prefactor
        import pytest

        @pytest.fixture(autouse=True)
        def agent(captrace):
            with prefactor.instance("agent"), prefactor.span("step"):
                pass

        def test_in(captrace):
            assert "planning_steps" in captrace

        def test_not_in(captrace):
            assert "step" not in captrace

        def test_another(captrace):
            span = captrace["step"]
            captrace.clear()
            with prefactor.instance("agent"), prefactor.span("other"):
                pass
            assert span in captrace
        """
    result = run(tests)
    result.stdout.fnmatch_lines(
        [
            "E*'planning_steps' in captrace",
            'E*captrace.count("planning_steps"): there is none',
            "E*captured: 1 span, 1 instance*",
            "E*'step' not in captrace",
            'E*captrace.count("step"): step #1 (test_it.py:6)',
            "E*captured: 1 span, 1 instance*",
            "E*step #1 in captrace",
            "E*captured: 1 span, 1 instance*",
        ]
    )


def test_nothing_is_kept_of_a_test_that_is_over(run):
    """Else each test would take longer than the one before it, which it looks at as well."""
    tests = """
        import gc

        import prefactor_trace as prefactor
        import pytest
        from prefactor_trace.testing import Recorder

        @pytest.mark.parametrize("number", range(5))
        def test_recorded(captrace, number):
            with prefactor.instance("agent"), prefactor.span("step"):
                pass
            assert captrace.count("step") == (1 if number else 2)

        def test_after():
            gc.collect()
            assert not [one for one in gc.get_objects() if type(one) is Recorder]
        """
    run(tests).assert_outcomes(passed=5, failed=1)
