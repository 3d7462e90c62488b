"""Two small folders of documents, for the tests of the demo."""

from pathlib import Path

GARDEN = {
    "compost.md": """# Compost

Compost needs equal parts of green kitchen waste and brown leaves to rot without a smell.

## Watering

- Turn the heap every week so that air reaches the middle of the compost.
- Watering is needed only when the heap has dried out in a long hot summer.
""",
    "roses.rst": """Roses
=====

Pruning
-------

Prune the roses in early spring, before the buds open, with clean and sharp shears.
""",
    "notes.txt": "The shed key hangs behind the kitchen door, next to the old calendar.\n",
}

CODE = {
    "cache.py": '''"""A cache that forgets what was not used for the longest time."""

# Eviction happens under the lock, since two threads could otherwise evict the same entry.
LIMIT = 10


class Cache:
    """Keeps the newest entries.

    Args:
        limit: How many entries are kept before eviction of the oldest one begins.
    """

    def get(self, key):
        """Return the entry of a key, or nothing when it was evicted before."""
''',
    "deep/down/readme.md": "# Settings\n\nThe limit of the cache is set by CACHE_LIMIT.\n",
}


def write_folder(folder: Path, documents: dict[str, str]) -> Path:
    """Write documents below a folder and return it."""
    for name, text in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
