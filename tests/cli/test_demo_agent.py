"""The demo agent end to end: its answers follow from question and folder, and so does its trace."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import prefactor_trace
from prefactor_trace.cli.demo_agent import Answer, DocsAgent
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import InstanceSummary, Store

from .library import CODE, GARDEN, write_folder


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """A database that everything is recorded into."""
    path = tmp_path / "traces.db"
    prefactor_trace.configure(local=True, local_db=str(path))
    yield path
    prefactor_trace.shutdown()


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    """A folder about a garden."""
    return write_folder(tmp_path / "garden", GARDEN)


def ask(question: str, folder: Path) -> Answer:
    """Let an agent answer."""
    agent = DocsAgent(folder)
    try:
        return asyncio.run(agent.answer(question))
    finally:
        agent.index.close()


def trace(database: Path) -> tuple[InstanceSummary, list[AgentSpan]]:
    """Return the newest run and its spans."""
    assert prefactor_trace.flush()
    with Store(database) as store:
        (instance,) = store.list_instances(limit=1)
        return instance, store.list_spans(instance.id)


@pytest.mark.parametrize(
    ("question", "source", "word"),
    [
        ("When should I prune the roses?", "roses.rst:7", "spring"),
        ("where is the key of the shed", "notes.txt:1", "door"),
        ("How often is the heap turned?", "compost.md:7", "week"),
    ],
)
def test_answers_with_the_right_source(
    database: Path, garden: Path, question: str, source: str, word: str
) -> None:
    """The first statement answers the question, and its source is where it stands."""
    answer = ask(question, garden)
    assert word in answer.text.splitlines()[0]
    assert answer.sources[0].split()[0] == source


def test_statements_are_quoted_from_their_sources(database: Path, tmp_path: Path) -> None:
    """Every statement has a source, whose file and line hold its words."""
    folder = write_folder(tmp_path / "code", CODE)
    answer = ask("what limits the cache and its eviction", folder)
    statements = [line for line in answer.text.splitlines() if line.startswith("[")]
    assert len(statements) == len(answer.sources) >= 2
    for statement, source in zip(statements, answer.sources, strict=True):
        path, line = re.match(r"(.+):(\d+)", source).groups()
        lines = (folder / path).read_text().splitlines()
        assert re.findall(r"\w+", statement)[1] in lines[int(line) - 1]


def test_trace_is_that_of_the_work(database: Path, garden: Path) -> None:
    """Each search, each document opened and the failed search are spans under their step."""
    ask("When should I prune the roses?", garden)
    instance, spans = trace(database)
    assert (instance.agent_name, instance.status) == ("docs-agent", "complete")
    by_name = {span.schema_name: span for span in spans}
    count = Counter(span.schema_name for span in spans)
    failed = [span for span in spans if span.status == "failed"]
    assert [span.schema_name for span in failed] == ["search"]
    assert failed[0].payload["query"] == "When should I prune the roses?"
    assert "fts5" in failed[0].result_payload["message"]
    again = [span for span in spans if span.payload.get("attempt") == 2]
    assert len(again) == 1
    searches = by_name["search_all"].payload["searches"]
    assert count["search"] == len(searches) + 1
    for span in spans:
        parent = {"search": "search_all", "open_document": "open_all"}.get(span.schema_name)
        if parent is not None:
            assert span.parent_span_id == by_name[parent].id
    opened = {span.payload["path"] for span in spans if span.schema_name == "open_document"}
    assert "roses.rst" in opened <= set(GARDEN)


def test_other_questions_and_folders_give_other_traces(
    database: Path, garden: Path, tmp_path: Path
) -> None:
    """Nothing is pre-baked: the trace names what this question searched and this folder holds."""
    seen = []
    for question, folder in [
        ("roses", garden),
        ("compost heap", garden),
        ("cache limit", write_folder(tmp_path / "code", CODE)),
    ]:
        ask(question, folder)
        _, spans = trace(database)
        queries = [span.payload["query"] for span in spans if span.schema_name == "search"]
        assert all(any(word in query for query in queries) for word in question.split())
        assert not any(span.status == "failed" for span in spans)
        seen.append(tuple(queries))
    assert len(set(seen)) == 3


def test_nothing_to_say_is_said(database: Path, garden: Path, tmp_path: Path) -> None:
    """An empty folder, a question about nothing and an unknown word give an honest sentence."""
    (tmp_path / "empty").mkdir()
    assert "no document" in ask("roses", tmp_path / "empty").text
    assert "names nothing" in ask("what is it?", garden).text
    unknown = ask("zebra crossing", garden)
    assert "zebra, crossing" in unknown.text
    assert not unknown.sources
    half = ask("roses and zebras", garden)
    assert half.sources
    assert "None of the documents has the words: zebras." in half.text


def test_unreadable_files_are_mentioned(database: Path, garden: Path) -> None:
    """A file that cannot be read does not stop the agent, and is neither hidden."""
    (garden / "broken.txt").write_bytes(b"\0\1\2")
    assert ask("roses", garden).sources
    _, spans = trace(database)
    (index,) = [span for span in spans if span.schema_name == "build_index"]
    assert index.result_payload["unreadable"] == {"broken.txt": "binary"}
    assert "1 file could not be read" in ask("zebra", garden).text


def test_document_that_goes_away(database: Path, garden: Path) -> None:
    """A document that is deleted while the agent works is a failed span, not a failed answer."""
    agent = DocsAgent(garden)

    async def answer() -> list[object]:
        assert await agent.read_folder() == len(GARDEN)
        (garden / "roses.rst").unlink()
        return await agent.open_all(["roses.rst", "notes.txt"])

    assert len(asyncio.run(answer())) == 1
    agent.index.close()
    _, spans = trace(database)
    failed = [span.payload["path"] for span in spans if span.status == "failed"]
    assert failed == ["roses.rst"]


def test_its_steps_are_asserted_as_a_user_would(captrace, garden: Path) -> None:
    """The plugin's own words on the demo: shape, concurrency, types, and no secret."""
    ask("How often are tomatoes watered?", garden)
    captrace.assert_order("read_folder", "plan", "search_all", "open_all", "rank", "compose")
    captrace.assert_overlap("search_all", "search")
    captrace.none("rank", passages=0)
    captrace.assert_all_finished()
    captrace.assert_conforms()
    captrace.assert_no_secrets()
    assert captrace["rank"].result_payload["relevant"] > 0
    assert captrace.instances[0].agent_id == "docs-agent"
