"""What somebody may have meant by a word that is not known."""

from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of an error's line: the nearest of the known words, else all of them."""
    import difflib  # only where something is wrong

    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(words) or 'none'}"
