"""How the demo agent searches documents and ranks their passages: SQLite FTS5 and BM25.

Plain text work, with nothing of tracing in it; the agent is in `demo_agent.py`.
"""

import difflib
import math
import re
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from prefactor_trace.cli.demo_documents import Document, Passage

LONGEST_QUOTE = 320

# Words that a question is made of but not about.
_COMMON = """
a about after all an and another any are as at be been before being but by can could did do does
explain for from get gets give given had happen happens has have how i if in into is it its just
keep let like made make makes many may me mean means might much must my no not of on one or
other our out please same should show so some tell than that the their them then there these
they this to up us use used uses using want was we were what when where which who whom whose why
will with work works would you your
"""
_STOPWORDS = frozenset(_COMMON.split())
_OPPOSITES = ("un", "non", "in", "im", "dis", "de", "mis")
_ENDINGS = "ations ation ions ion ings ing ies ied ed es ly s e y"


class Index:
    """A full-text index in memory, usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size = 0
        self._terms: dict[str, int] | None = None
        # One connection for all threads: a database in memory belongs to its connection.
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            "CREATE VIRTUAL TABLE documents"
            " USING fts5(path, body, tokenize='unicode61 remove_diacritics 0')"
        )
        self._database.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(documents, 'row')")

    def __len__(self) -> int:
        return self._size

    def close(self) -> None:
        """Give the memory back."""
        self._database.close()

    def add(self, document: Document) -> None:
        """Make a document findable."""
        with self._lock:
            self._database.execute(
                "INSERT INTO documents VALUES (?, ?)", (document.path, document.text)
            )
            self._size += 1
            self._terms = None

    def search(self, query: str, limit: int = 20) -> list[str]:
        """Return the paths of the documents that match, the best by BM25 first.

        Raises:
            sqlite3.OperationalError: `query` is not in the syntax of FTS5.
        """
        with self._lock:
            found = self._database.execute(
                "SELECT path FROM documents WHERE documents MATCH ?"
                " ORDER BY bm25(documents, 5.0, 1.0) LIMIT ?",
                (query, limit),
            )
            return [path for (path,) in found]

    def terms(self) -> dict[str, int]:
        """Return each word of the documents with how many of them have it."""
        with self._lock:
            if self._terms is None:
                self._terms = dict(self._database.execute("SELECT term, doc FROM terms"))
            return self._terms

    def variants(self, word: str, limit: int = 5) -> list[str]:
        """Return other words of the documents that likely mean the same, commonest first."""
        terms, root = self.terms(), stem(word)
        near = [term for term in terms if term != word and _is_variant(term, word, root)]
        if not near and word not in terms and word.isalpha():
            near = difflib.get_close_matches(word, terms, limit, 0.8)
        return sorted(near, key=lambda term: (stem(term) != root, -terms[term]))[:limit]


def _is_variant(term: str, word: str, root: str) -> bool:
    return (
        stem(term) == root
        or (len(root) >= 4 and term.startswith(root) and term.isalpha())
        or (len(word) >= 5 and term.endswith(word) and term[: -len(word)] not in _OPPOSITES)
    )


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, with the parts of ``snake_case``."""
    return re.findall(r"[^\W_]+", text.lower())


def keywords(question: str) -> list[str]:
    """Return the words of a question that say what it is about."""
    return list(dict.fromkeys(word for word in words_of(question) if word not in _STOPWORDS))


def stem(word: str) -> str:
    """Return a word without its ending: ``deliver`` for delivered, delivery and delivers."""
    for suffix in _ENDINGS.split():
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word[: -len(suffix)]
            break
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl"
    return word[:-1] if doubled else word


def rank_passages(
    passages: Sequence[Passage], words: Sequence[str], variants: Mapping[str, Sequence[str]]
) -> list[tuple[float, Passage]]:
    """Return the passages that hold words of the question, the best first.

    The score is BM25 over stems, raised by how much of the question is covered, how close
    together its words stand, and whether the heading speaks of it.
    """
    meaning = _meaning(words, variants)
    stems = [[stem(word) for word in words_of(passage.text)] for passage in passages]
    average = sum(map(len, stems)) / len(stems) if stems else 1.0
    frequency = Counter(
        word for body in stems for word in {meaning[s][0] for s in body if s in meaning}
    )
    rarity = {
        word: math.log(1 + (len(stems) - frequency[word] + 0.5) / (frequency[word] + 0.5))
        for word in words
    }
    scored = [
        (_score(passage, body, meaning, rarity, average), passage)
        for passage, body in zip(passages, stems, strict=True)
    ]
    return sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])


def _meaning(
    words: Sequence[str], variants: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, float]]:
    """Return for each stem the question's word that it stands for, and how surely."""
    meaning = {stem(other): (word, 0.6) for word in words for other in variants.get(word, ())}
    meaning.update({stem(word): (word, 1.0) for word in words})
    return meaning


def _score(
    passage: Passage,
    body: Sequence[str],
    meaning: Mapping[str, tuple[str, float]],
    rarity: Mapping[str, float],
    average: float,
) -> float:
    counts: dict[str, float] = defaultdict(float)
    for word, weight in (meaning[s] for s in body if s in meaning):
        counts[word] += weight
    length = 0.4 + 0.6 * len(body) / average
    bm25 = sum(
        rarity[word] * count * 2.2 / (count + 1.2 * length) for word, count in counts.items()
    )
    above = {meaning[s][0] for s in map(stem, words_of(passage.heading)) if s in meaning}
    covered = sum(rarity[word] for word in {*counts, *above}) / (sum(rarity.values()) or 1)
    close = len(counts) / _window(body, meaning) if len(counts) > 1 else 0.0
    score = bm25 * (1 + close) + 0.5 * sum(rarity[word] for word in above)
    # Squared: half of the question is much less than half of an answer.
    score *= 0.1 + covered**2
    # A few words say little; tests repeat what the thing under test says of itself; and what was
    # written to be read says it better than code.
    score *= min(1.0, len(body) / 12) * (0.5 if "test" in passage.path else 1.0)
    score *= 1.0 if passage.path.endswith(".py") else 1.5
    # What a sentence begins with is what it is about.
    score *= 1.3 if any(word in meaning for word in body[:3]) else 1.0
    return score if counts or len(above) == len(rarity) else 0.0


def _window(body: Sequence[str], meaning: Mapping[str, tuple[str, float]]) -> int:
    """Return how many words the shortest stretch has that holds all that is there."""
    hits = [(at, meaning[s][0]) for at, s in enumerate(body) if s in meaning]
    wanted = len({word for _, word in hits})
    inside: Counter[str] = Counter()
    first, best = 0, len(body)
    for at, word in hits:
        inside[word] += 1
        while inside[hits[first][1]] > 1:
            inside[hits[first][1]] -= 1
            first += 1
        if len(inside) == wanted:
            best = min(best, at - hits[first][0] + 1)
    return best


def quote(passage: Passage, words: Iterable[str]) -> str:
    """Return the sentences of a passage that say most about `words`."""
    if len(passage.text) <= LONGEST_QUOTE:
        return passage.text
    wanted = {stem(word) for word in words}
    sentences = re.split(r"(?<=[.!?;:])\s+", passage.text)
    best, most = "", -1
    for at in range(len(sentences)):
        run = sentences[at]
        for sentence in sentences[at + 1 :]:
            if len(run) + len(sentence) >= LONGEST_QUOTE:
                break
            run += " " + sentence
        held = len(wanted & {stem(word) for word in words_of(run[:LONGEST_QUOTE])})
        if held > most:
            best, most = run, held
    return best if len(best) <= LONGEST_QUOTE else best[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
