"""The pytest plugin: what an agent did, for its tests to assert.

It stands beside the package so that loading it, which every test run does, loads nothing of it:
`prefactor_trace` is imported when a test asks for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from prefactor_trace.server import Server
    from prefactor_trace.testing import CountingClock, Recorder

_OFFLINE = "PREFACTOR_OFFLINE"
_SECTION = "Captured prefactor trace"
_PURPOSES = ("live", "smoke_test", "eval")
# What the marker takes, how that is called, and whether a value is one.
_ALLOWED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "live": ("True or False", lambda value: isinstance(value, bool)),
    "strict": ("True or False", lambda value: isinstance(value, bool)),
    "allow_errors": ("True or False", lambda value: isinstance(value, bool)),
    "allow_unfinished": (
        "a list of span types",
        lambda value: (
            isinstance(value, (list, tuple, set, frozenset))
            and all(isinstance(name, str) for name in value)
        ),
    ),
    "purpose": (f"one of {', '.join(_PURPOSES)}", lambda value: value in _PURPOSES),
}
_MARKER = f"prefactor({', '.join(_ALLOWED)}): how prefactor_trace records this test"

_recorder_key = pytest.StashKey["Recorder"]()
_shown_key = pytest.StashKey[bool]()
_unsound_key = pytest.StashKey[BaseException]()
_undo_key = pytest.StashKey["list[Callable[[], object]]"]()
_offline_before: list[str | None] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini settings."""
    group = parser.getgroup("prefactor", "prefactor_trace")
    group.addoption(
        "--prefactor-live",
        action="store_true",
        help="deliver what tests record, as a program would; by default nothing leaves a test run",
    )
    group.addoption(
        "--prefactor-save",
        action="store_true",
        help="keep the traces of failing tests in the local database, and say how to see them",
    )
    group.addoption(
        "--prefactor-trace",
        choices=("all", "failed", "none"),
        default="failed",
        help="of which tests the trace is printed (default: %(default)s)",
    )
    parser.addini("prefactor_live", "as --prefactor-live", type="bool", default=False)
    parser.addini(
        "prefactor_strict",
        "fail a test with the fixture captrace whose trace is not sound: unfinished spans, spans"
        " ended twice, parents that were not captured, payloads that do not match their schema",
        type="bool",
        default=True,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """See to it that nothing leaves this test run, before any code of the tests is imported."""
    _offline_before.append(os.environ.get(_OFFLINE))
    if not _is_live(early_config):
        os.environ[_OFFLINE] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put the environment back."""
    del config
    if _offline_before:
        _set_offline(_offline_before.pop())


def _is_live(config: pytest.Config, said: Mapping[str, Any] = MappingProxyType({})) -> bool:
    """Return whether what is recorded is delivered, as a test's markers say or else the run's."""
    if "live" in said:
        return bool(said["live"])
    known = getattr(config, "known_args_namespace", config.option)
    return bool(getattr(known, "prefactor_live", False) or config.getini("prefactor_live"))


def _set_offline(value: str | None) -> None:
    if value is None:
        os.environ.pop(_OFFLINE, None)
    else:
        os.environ[_OFFLINE] = value


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Return what the markers of a test say, the nearest one first."""
    said: dict[str, Any] = {}
    for marker in item.iter_markers("prefactor"):
        said = {**marker.kwargs, **said}
    return said


def _check_markers(item: pytest.Item) -> None:
    """Have a test fail whose markers say what they cannot, before anything of it runs."""
    for marker in item.iter_markers("prefactor"):
        unknown = marker.kwargs.keys() - _ALLOWED
        if unknown or marker.args:
            what = ", ".join(sorted(unknown)) or "arguments without a name"
            pytest.fail(
                f"@pytest.mark.prefactor does not take {what};"
                f" it takes {', '.join(sorted(_ALLOWED))}",
                pytrace=False,
            )
        for name, value in marker.kwargs.items():
            wanted, is_one = _ALLOWED[name]
            if not is_one(value):
                pytest.fail(
                    f"@pytest.mark.prefactor takes {wanted} as {name}, got {value!r}", pytrace=False
                )


# Fixtures


@pytest.fixture
def captrace(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """What the agent did in this test: a `prefactor_trace.testing.Recorder`."""
    from prefactor_trace.testing import Recorder
    from prefactor_trace.testing.wording import whole_values

    said = _marked(request.node)
    settings = {"purpose": said["purpose"]} if "purpose" in said else {}
    recorder = Recorder(live=_is_live(request.config, said), **settings)
    recorder.name = "captrace"
    recorder.verbose = request.config.getoption("verbose", 0) >= 2
    recorder.start()
    request.node.stash[_recorder_key] = recorder
    try:
        with whole_values(on=recorder.verbose):
            yield recorder
    finally:
        recorder.stop()


@pytest.fixture
def prefactor_spans(captrace: Recorder) -> Recorder:
    """The same as `captrace`."""
    return captrace


@pytest.fixture
def prefactor_clock(captrace: Recorder) -> CountingClock:
    """A clock that counts, and ids that count: the same run is the same text each time."""
    return captrace.deterministic()


@pytest.fixture
def prefactor_config(captrace: Recorder) -> Callable[..., None]:
    """A function that changes settings for this test."""
    return captrace.configure


@pytest.fixture(scope="session")
def prefactor_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prefactor on a free port of this machine, for tests of HTTP and of processes."""
    from prefactor_trace.server import Api, Server, Store

    path = tmp_path_factory.mktemp("prefactor") / "server.db"
    with Store(path) as store, Server(Api(store)) as server:
        yield server


# Around each test


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have a test with a purpose recorded, also where it does not ask for the fixture."""
    names = getattr(item, "fixturenames", None)
    if names is not None and "captrace" not in names and "purpose" in _marked(item):
        names.insert(0, "captrace")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a test that is marked so deliver as a program would."""
    _check_markers(item)
    if not _marked(item).get("live"):
        return
    undo: list[Callable[[], object]] = []
    item.stash[_undo_key] = undo
    offline = os.environ.get(_OFFLINE)
    undo.append(lambda: _set_offline(offline))
    _set_offline(None)
    module = sys.modules.get("prefactor_trace._default")
    if module is not None:
        default = module.default
        before = default._tracer

        def put_back() -> None:
            if default._tracer is not None and default._tracer is not before:
                default._tracer.shutdown()
            default._tracer = before

        undo.append(put_back)
        default._tracer = None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Put back what a live test has changed."""
    undo = item.stash.get(_undo_key, None)
    while undo:
        undo.pop()()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Look at the trace of a test that has passed."""
    recorder = item.stash.get(_recorder_key, None)
    if recorder is None:
        yield
        return
    first = recorder.mark()
    outcome = yield
    said = _marked(item)
    passed = outcome.excinfo is None
    if "purpose" in said and _is_live(item.config, said):
        recorder.record_outcome("passed" if passed else "failed", item.nodeid)
    if not passed or not said.get("strict", item.config.getini("prefactor_strict")):
        return
    wrong = recorder.unsound(
        first,
        allow_unfinished=said.get("allow_unfinished", ()),
        allow_errors=said.get("allow_errors", False),
    )
    if wrong:
        try:
            pytest.fail(
                f"{_unsound_text(wrong)}\n\n{recorder.report()}\n"
                f"(@pytest.mark.prefactor({_way_out(wrong, recorder)}) lets it be)",
                pytrace=False,
            )
        except pytest.fail.Exception as failure:
            item.stash[_unsound_key] = failure
            outcome.force_exception(failure)


def _unsound_text(wrong: list[str]) -> str:
    """Return what is wrong with a trace: in the first line, which is all that a summary has."""
    if len(wrong) == 1:
        return f"the trace is not sound: {wrong[0]}"
    lines = [f"the trace is not sound: {wrong[0]}, and {len(wrong) - 1} more", *wrong]
    return "\n    ".join(lines)


def _way_out(wrong: list[str], recorder: Recorder) -> str:
    """Return what the mark has to say for a trace to pass, and little else."""
    names = {span.schema_name for span in recorder.spans if not span.finished}
    if all(line.endswith(" never ended") for line in wrong):
        return f"allow_unfinished={sorted(names)}"
    return "strict=False"


def _place_at_test(report: pytest.TestReport, item: pytest.Item) -> None:
    """Have a failure stand where the test does, and not in this file."""
    crash = getattr(report.longrepr, "reprcrash", None)
    path, line, _ = item.reportinfo()
    if crash is not None and line is not None:
        crash.path, crash.lineno = os.fspath(path), line + 1


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Show the trace with the report of a test that has failed."""
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None and call.excinfo.value is item.stash.get(_unsound_key, None):
        _place_at_test(report, item)
    recorder = item.stash.get(_recorder_key, None)
    if recorder is not None and report.when == "teardown":
        del item.stash[_recorder_key]  # nothing of it is needed once the last report is made
    wanted = item.config.getoption("prefactor_trace")
    # The report of a test, or of a fixture that failed before or after it; of both, the first.
    is_first = report.failed and not item.stash.get(_shown_key, False)
    if recorder is None or not (is_first or report.when == "call"):
        return
    item.stash[_shown_key] = report.failed
    if wanted == "all" or (report.failed and wanted != "none"):
        text = recorder.report()
        # The failure itself may have shown it.
        if text.partition("\n")[0] not in str(report.longrepr):
            _add_section(report, _SECTION, str(text))
    if report.failed and item.config.getoption("prefactor_save"):
        _add_section(report, "Saved prefactor trace", "\n".join(recorder.save()))
    del call


def _add_section(report: pytest.TestReport, name: str, text: str) -> None:
    # Only what belongs to the failure itself is in a file of JUnit's.
    add = getattr(report.longrepr, "addsection", None)
    if add is None:
        report.sections.append((name, text))
    else:
        add(name, text)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the traces of the tests that have passed, where they are asked for."""
    if config.getoption("prefactor_trace") != "all" or terminalreporter.hasopt("P"):
        return  # with -rP, pytest prints the sections itself
    for report in terminalreporter.getreports("passed"):
        for name, text in report.sections:
            if name == _SECTION:
                terminalreporter.section(f"{report.nodeid}: {name}", "-")
                terminalreporter.write_line(text)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show the trace where a count of spans is not as expected, and how a payload differs."""
    kind = type(left)
    if op in ("in", "not in") and type(right).__module__ == "prefactor_trace.testing.recorder":
        return _contains_text(op, left, right)
    for count in (left, right):  # the right one in `2 <= count <= 3`
        known = type(count)
        if known.__module__ == "prefactor_trace.testing.assertions" and known.__name__ == "Count":
            return [f"{left!r} {op} {right!r}", *count.report.splitlines()]  # type: ignore[attr-defined]
    if kind.__module__ == "prefactor_trace.testing.spans" and isinstance(right, dict):
        from prefactor_trace.testing.matching import differences

        payload = left.payload  # type: ignore[attr-defined]
        return [f"{left!r} {op} a payload:", *differences(payload, right, "payload")]
    return None


def _contains_text(op: str, wanted: Any, recorder: Any) -> list[str]:
    """Return what there is where a type of spans is missing, or is one too many."""
    is_type = isinstance(wanted, str) or callable(wanted)
    report = recorder.count(wanted).report if is_type else recorder.report()
    return [f"{wanted!r} {op} {recorder.name}", *report.splitlines()]
