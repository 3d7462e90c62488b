"""An agent that answers questions about a folder of documents: read this file first.

It is written the way you would write an agent of your own: `@prefactor.instance` on the function
that is one run, `@prefactor.span` on its steps, `with prefactor.span(...)` around what is no
function of its own. Nothing here knows where the trace goes. No model, no network.
"""

import asyncio
import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import prefactor_trace as prefactor
from prefactor_trace.cli.demo_documents import Passage, list_files, read_document
from prefactor_trace.cli.demo_search import Index, keywords, quote, rank_passages, words_of

DOCUMENTS_OPENED = 8
PASSAGES_QUOTED = 4


@dataclass(frozen=True)
class Plan:
    """What to search for.

    Attributes:
        words: The words that the question is about.
        variants: What the folder itself calls them: "delivered" is also "delivery".
        searches: Queries for FTS5, from the narrowest to the widest.
    """

    words: list[str]
    variants: dict[str, list[str]]
    searches: list[str]


@dataclass(frozen=True)
class Answer:
    """What the agent found.

    Attributes:
        text: The answer; it says so when there is none.
        sources: Where each numbered statement stands, as ``file:line``.
    """

    text: str
    sources: list[str] = field(default_factory=list)


class DocsAgent:
    """Answers questions about a folder."""

    def __init__(self, folder: Path, leave_out: Sequence[str] = ()) -> None:
        self.folder = folder
        self.leave_out = leave_out
        self.index = Index()
        self.unreadable: dict[str, str] = {}

    @prefactor.instance("docs-agent", version="1.0.0")
    async def answer(self, question: str) -> Answer:
        """Answer one question: this is one run of the agent."""
        if not await self.read_folder():
            return Answer(f"There is no document to read in {self.folder}{self.but_unread()}.")
        plan = self.plan(question)
        if not plan.words:
            return Answer("The question names nothing to search for.")
        documents = await self.search_all(plan.searches)
        passages = await self.open_all(documents[:DOCUMENTS_OPENED])
        with prefactor.span("rank", {"passages": len(passages)}) as step:
            ranked = rank_passages(passages, plan.words, plan.variants)
            best = ranked[0][1].source if ranked else None
            step.set_result({"relevant": len(ranked), "best": best})
        return self.compose(plan, ranked)

    @prefactor.span("read_folder")
    async def read_folder(self) -> int:
        """Read every document into the index; return how many there are."""
        with prefactor.span("list_files", {"folder": str(self.folder)}) as step:
            paths = await asyncio.to_thread(list_files, self.folder, self.leave_out)
            step.set_result({"files": len(paths)})
        with prefactor.span("build_index", {"files": len(paths)}) as step:
            await asyncio.to_thread(self.index_files, paths)
            step.set_result({"documents": len(self.index), "unreadable": self.unreadable})
        return len(self.index)

    def index_files(self, paths: list[Path]) -> None:
        """Index what can be read, and note why the rest could not."""
        reasons = {path.name: self.index_file(path) for path in paths}
        self.unreadable = {name: reason for name, reason in reasons.items() if reason}

    def index_file(self, path: Path) -> str | None:
        """Index one file; return why it could not be read, since the others still can."""
        try:
            self.index.add(read_document(path, self.folder))
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)
        return None

    @prefactor.span("plan")
    def plan(self, question: str) -> Plan:
        """Turn a question into searches."""
        words = keywords(question)
        variants = {word: self.index.variants(word) for word in words}
        groups = [" OR ".join([word, *variants[word]]) for word in words]
        searches = [
            question,  # as it was asked: it may be in the search syntax of FTS5
            *(f'"{left} {right}"' for left, right in itertools.pairwise(words)),
            " AND ".join(f"({group})" for group in groups),
            " OR ".join(groups),
        ]
        return Plan(words, variants, list(dict.fromkeys(filter(None, searches))))

    @prefactor.span("search_all")
    async def search_all(self, searches: list[str]) -> list[str]:
        """Run all searches at once; return the documents found, the best first."""
        votes: dict[str, float] = defaultdict(float)
        for hits in await asyncio.gather(*map(self.search_or_quote, searches)):
            # Scores of different searches cannot be compared, ranks can.
            for rank, path in enumerate(hits):
                votes[path] += 1 / (10 + rank)
        return sorted(votes, key=lambda path: -votes[path])

    async def search_or_quote(self, query: str) -> list[str]:
        """Search; a query that is no search syntax is tried again as plain words."""
        try:
            return await self.search(query)
        except sqlite3.OperationalError:
            return await self.search(" ".join(words_of(query)), attempt=2)

    @prefactor.span("search")
    async def search(self, query: str, attempt: int = 1) -> list[str]:  # noqa: ARG002
        """Return the documents that match, the best first."""
        return await asyncio.to_thread(self.index.search, query)

    async def open_all(self, paths: list[str]) -> list[Passage]:
        """Open documents in parallel; return their passages."""
        with prefactor.span("open_all", {"documents": len(paths)}) as step:
            opened = await asyncio.gather(*map(self.open_document, paths), return_exceptions=True)
            passages = [one for found in opened if isinstance(found, list) for one in found]
            step.set_result({"passages": len(passages)})
        return passages

    async def open_document(self, path: str) -> list[Passage]:
        """Read one document as it is now and cut it into passages."""
        with prefactor.span("open_document", {"path": path}) as step:
            document = await asyncio.to_thread(read_document, self.folder / path, self.folder)
            passages = await asyncio.to_thread(document.passages)
            step.set_result({"passages": len(passages)})
        return passages

    @prefactor.span("compose", capture_input=False)
    def compose(self, plan: Plan, ranked: list[tuple[float, Passage]]) -> Answer:
        """Quote the best passages that say different things, with their sources."""
        chosen: list[Passage] = []
        for score, passage in ranked:
            if len(chosen) == PASSAGES_QUOTED or score < ranked[0][0] * 0.35:
                break
            if not any(alike(passage, other) for other in chosen):
                chosen.append(passage)
        if not chosen:
            about = ", ".join(plan.words)
            read = f"the {len(self.index)} documents here{self.but_unread()}"
            return Answer(f"Nothing in {read} speaks of {about}.")
        lines = [f"[{n}] {quote(passage, plan.words)}" for n, passage in enumerate(chosen, 1)]
        known = self.index.terms()
        missing = [w for w in plan.words if w not in known and not plan.variants[w]]
        if missing:
            lines.append(f"None of the documents has the words: {', '.join(missing)}.")
        return Answer("\n".join(lines), [one.source for one in chosen])

    def but_unread(self) -> str:
        """Return the honest addition to an answer that some files could not be read."""
        count = len(self.unreadable)
        return f" ({count} file{'s' if count > 1 else ''} could not be read)" if count else ""


def alike(one: Passage, other: Passage) -> bool:
    """Return whether two passages say mostly the same."""
    left, right = set(words_of(one.text)), set(words_of(other.text))
    return len(left & right) > 0.6 * min(len(left), len(right))
