"""A question for what never happened, whose name is misspelt."""

import importlib
import sys
import sysconfig
from typing import NamedTuple

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder
from prefactor_trace.testing.known import _is_near


@pytest.fixture
def ran(trace: Recorder, agent) -> Recorder:
    """A recording of an agent with a planning, a call of the model and one of a tool."""
    agent("a")
    return trace


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("toolcall", "tool_call"),
        ("ToolCall", "tool_call"),
        ("tool:call", "tool_call"),
        ("tool_caal", "tool_call"),
        ("plannings", "planning"),
        ("llm_clal", "llm_call"),
    ],
)
def test_a_name_that_nobody_knows_fails_where_a_near_one_is_known(ran: Recorder, asked, meant):
    """It would pass else, whatever the agent does."""
    for question in (ran.none, ran.count, ran.all, ran.__contains__):
        with pytest.raises(AssertionError) as caught:
            question(asked)
        told = str(caught.value)
        assert f": no span type {asked!r} is known; did you mean {meant!r}?\n" in told
        assert "captured: 3 spans" in told


def test_a_name_that_is_known_passes(ran: Recorder):
    """By a declaration, by a decorator, or as the code has a block of that name."""
    prefactor.declare("tool_cull")

    @prefactor.span("tool_kall")
    def never() -> None: ...

    def nor_this() -> None:
        with prefactor.span("tool_calm"):
            pass

    del nor_this
    for name in ("tool_cull", "tool_kall", "tool_calm", never):
        ran.none(name)
        assert ran.count(name) == 0
        assert name not in ran


def test_a_name_that_another_module_has_passes(
    ran: Recorder, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """As that of a block which has not run."""
    (tmp_path / "agent_with_blocks.py").write_text("NAMES = ['tool_' + 'x', 'llm_calls']\n")
    name = "_".join(["llm", "calls"])
    with pytest.raises(AssertionError):
        ran.none(name)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("agent_with_blocks")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    ran.none(name)


def test_a_name_that_only_a_module_has_that_is_not_imported_yet_passes(
    ran: Recorder, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """The agent may import it where it needs it, which it rightly did not."""
    (tmp_path / "agent_that_is_lazy.py").write_text("def run():\n    import agent_rarely_used\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("agent_that_is_lazy")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    name = "_".join(["llm", "cull"])
    with pytest.raises(AssertionError, match=r"\(nor does it stand in a file of the program; if"):
        ran.none(name)
    (tmp_path / "agent_rarely_used.py").write_text(f"with span('{name}'):\n    pass\n")
    ran.none(name)


def test_a_name_that_is_like_no_other_passes(ran: Recorder):
    """It may be one of a block that rightly never ran."""
    for name in ("delete_file", "call", "planner", "llm_ball_2"):
        ran.none(name)
        assert ran.count(name) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("step1", "step2"), ("fetch_a", "fetch_b"), ("get", "set"), ("step_10", "step_1"), ("a", "b")],
)
def test_names_that_are_meant_to_differ_are_not_near(one, other):
    """Numbers, letters and short words tell one from another."""
    assert not _is_near(one, other)


def test_a_key_that_no_such_span_can_have_fails(ran: Recorder):
    """Where a near one is known: of the captured payloads, or of the function's arguments."""

    @prefactor.span("never")
    def never(question: str) -> None: ...

    told = "no 'tool_call' is known with 'querry' in its payload; did you mean 'query'?"
    for question in (ran.none, ran.count, ran.all):
        with pytest.raises(AssertionError, match=told.replace("?", r"\?")):
            question("tool_call", querry="x")
        with pytest.raises(AssertionError, match="did you mean 'question'"):
            question("never", {"qestion": "x"})
    ran.none("tool_call", colour="red")
    ran.none("tool_call", k=6)
    ran.none("llm_call", status="failed")


def test_a_key_that_is_a_field_somewhere_passes(trace: Recorder, tmp_path, monkeypatch):
    """Models and keyword arguments name keys without quotes."""

    class Order(NamedTuple):
        item: str
        itemz: tuple[str, ...] = ()

    (tmp_path / "agent_with_fields.py").write_text("class Hit:\n    score: int\n    scores = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("agent_with_fields")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with prefactor.span("order", {"item": Order("a").item, "score": 1}):
        pass
    trace.none("order", itemz=...)
    trace.none("order", scores=...)
    with pytest.raises(AssertionError, match="did you mean 'score'"):
        trace.none("order", scored=...)


def test_a_key_that_is_declared_passes(ran: Recorder):
    """No captured span may have it, and the class may be that of a library."""
    with pytest.raises(AssertionError, match=r"declare\('llm_call', params=\.\.\.\)"):
        ran.none("llm_call", modell="x")
    properties = {"model": {"type": "string"}, "modell": {"type": "array"}}
    prefactor.declare("llm_call", params={"type": "object", "properties": properties})
    ran.none("llm_call", modell="x")
    with pytest.raises(AssertionError, match="did you mean 'model'"):
        ran.none("llm_call", moddel="x")


def test_a_key_that_the_code_gives_as_an_argument_passes(
    ran: Recorder, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """What `**kw` takes, or a field of a class, is no text there."""
    (tmp_path / "agent_with_keys.py").write_text(
        "def ask(tool):\n    tool(quer=1)\n    return querys == 2\nclass Asked:\n    queri: str\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("agent_with_keys")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    ran.none("tool_call", quer="x")
    ran.none("tool_call", queri="x")
    with pytest.raises(AssertionError, match="did you mean 'query'"):
        ran.none("tool_call", querys="x")


def test_a_name_that_an_installed_program_has_passes(
    ran: Recorder, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """Its tests may be run where it is installed; what else is there does not count."""
    for package, code in (("my_agent", "import prefactor_trace as p"), ("no_agent", "p = None")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"{code}\nfrom {package} import names\n")
        (tmp_path / package / "names.py").write_text(f"STEP = 'llm_call{package[0]}'\n")
    paths = sysconfig.get_paths() | {"purelib": str(tmp_path)}
    monkeypatch.setattr(sysconfig, "get_path", paths.__getitem__)
    monkeypatch.syspath_prepend(tmp_path)
    for package in ("my_agent", "no_agent"):
        for name in (package, f"{package}.names"):
            monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
    ran.none("llm_call" + "m")
    with pytest.raises(AssertionError, match="did you mean 'llm_call'"):
        ran.none("llm_call" + "n")
