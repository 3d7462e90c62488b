"""What somebody may have meant by a word that is not known."""

from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of an error's line: the nearest of the known words, else all of them."""
    words = sorted(known)
    near = nearest(word, words)
    return f"; did you mean {near!r}?" if near else f"; known are {', '.join(words) or 'none'}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the nearest of the known words, ``None`` where none is near."""
    import difflib  # only where something is wrong

    near = difflib.get_close_matches(word, sorted(known), n=1)
    return near[0] if near else None
