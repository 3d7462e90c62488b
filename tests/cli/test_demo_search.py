"""Searching and ranking: what is asked for is found first."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from prefactor_trace.cli.demo_documents import Document, Passage
from prefactor_trace.cli.demo_search import (
    LONGEST_QUOTE,
    Index,
    keywords,
    quote,
    rank_passages,
    stem,
    words_of,
)

from .library import CODE, GARDEN


@pytest.fixture
def index() -> Iterator[Index]:
    """An index of the two folders."""
    index = Index()
    for name, text in {**GARDEN, **CODE}.items():
        index.add(Document(name, text))
    yield index
    index.close()


def passages() -> list[Passage]:
    """Return all passages of the two folders."""
    documents = {**GARDEN, **CODE}.items()
    return [one for name, text in documents for one in Document(name, text).passages()]


def test_search_finds_documents(index: Index) -> None:
    """A search gives the documents that match, and those alone."""
    assert len(index) == len(GARDEN) + len(CODE)
    assert index.search("roses") == ["roses.rst"]
    assert set(index.search("kitchen")) == {"compost.md", "notes.txt"}
    assert index.search("absent") == []


@pytest.mark.parametrize("query", ["why?", '"open', "a AND", "(x", "x:y", ""])
def test_wrong_syntax_raises(index: Index, query: str) -> None:
    """What is no search syntax raises the error that the agent retries on."""
    with pytest.raises(sqlite3.OperationalError):
        index.search(query)


def test_variants_come_from_the_documents(index: Index) -> None:
    """Other forms of a word, and the neighbours of a misspelt one, are looked up."""
    assert "evicted" in index.variants("eviction")
    assert "prune" in index.variants("pruning")
    assert "calendar" in index.variants("calender")
    assert index.variants("zebra") == []


def test_keywords_leave_out_what_every_question_has() -> None:
    """Only the words that a question is about are left, each once and in order."""
    assert keywords("How do I prune the Roses, the roses?") == ["prune", "roses"]
    assert keywords("what is it?") == []
    assert keywords("start_span") == ["start", "span"]


def test_stem_joins_forms() -> None:
    """The forms of a word have one stem, short words keep theirs."""
    assert len({stem(word) for word in ("delivered", "delivery", "delivers", "delivering")}) == 1
    assert len({stem(word) for word in ("query", "queries")}) == 1
    assert len({stem(word) for word in ("run", "running", "runs")}) == 1
    assert stem("class") == "class"
    assert stem("is") == "is"


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("when are roses pruned", "roses.rst"),
        ("where is the key of the shed", "notes.txt"),
        ("turning the heap", "compost.md"),
        ("eviction and locks", "cache.py"),
        ("how to set the limit of the cache", "deep/down/readme.md"),
    ],
)
def test_best_passage_is_of_the_right_document(index: Index, question: str, path: str) -> None:
    """The first passage answers the question that was asked, whichever it was."""
    words = keywords(question)
    ranked = rank_passages(passages(), words, {word: index.variants(word) for word in words})
    scores = [score for score, _ in ranked]
    assert ranked[0][1].path == path
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_rank_of_nothing() -> None:
    """Without passages, words or matches there is no ranking."""
    assert rank_passages([], ["x"], {}) == []
    assert rank_passages(passages(), [], {}) == []
    assert rank_passages(passages(), ["zebra"], {}) == []


def test_close_words_count_more() -> None:
    """Of two passages with the same words, the one that has them together is better."""
    filler = " ".join(f"word{at}" for at in range(12))
    near = Passage("a.md", 1, "", f"{filler} red house {filler}")
    far = Passage("a.md", 2, "", f"red {filler} {filler} house")
    assert [one for _, one in rank_passages([far, near], ["red", "house"], {})] == [near, far]


def test_quote_is_of_the_passage_and_short() -> None:
    """A long passage is quoted by its sentences about the question."""
    text = " ".join(f"Sentence {at} says little of interest to us." for at in range(40))
    passage = Passage("x.md", 1, "", f"{text} The zebra lives here. {text}")
    said = quote(passage, ["zebra"])
    assert "zebra" in said
    assert len(said) <= LONGEST_QUOTE
    assert said in passage.text
    wall = Passage("x.md", 1, "", "x" * 1000)
    assert len(quote(wall, ["x"])) <= LONGEST_QUOTE + 4


def test_index_in_threads(index: Index) -> None:
    """Searches from several threads at once give what one would."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(index.search, ["roses"] * 50))
    assert found == [["roses.rst"]] * 50


def test_words_of_names() -> None:
    """The parts of a snake_case name are words."""
    assert words_of("start_span(Ünï)") == ["start", "span", "ünï"]


def test_path_is_searched_too(index: Index, tmp_path: Path) -> None:
    """A document is found by its name."""
    assert "compost.md" in index.search("path:compost")
