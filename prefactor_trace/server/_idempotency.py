"""Idempotency: the same key again gives the stored answer and has no second effect."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from prefactor_trace.server import _json
from prefactor_trace.server._answer import Answer, answer_again
from prefactor_trace.server._refusal import Refusal, invalid_field
from prefactor_trace.server._transaction import Transaction

MIN_KEY, MAX_KEY = 8, 64
_DIGEST_BYTES = 16
_ASKED_AT_ONCE = 500  # SQLite takes 999 values in a statement


def digest_of(content: Mapping[str, Any]) -> bytes:
    """Return what is equal for equal content, whatever the order of keys in it."""
    return sha256(_json.write_sorted(content)).digest()[:_DIGEST_BYTES]


def what_is_told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a request, which its key is no part of.

    One client leaves out what is missing, another sends it as `null`.
    """
    return {
        name: value
        for name, value in fields.items()
        if value is not None and name != "idempotency_key"
    }


class Keys:
    """The idempotency keys of the requests that one transaction carries out.

    They are asked for all at once, and stored all at once.

    Args:
        transaction: What the actions work with.
        keys: Those that may have been answered before; every other one is new.
    """

    def __init__(self, transaction: Transaction, keys: Sequence[str]) -> None:
        self._transaction = transaction
        self._known: dict[str, tuple[bytes, str]] = {}
        self._new: list[tuple[str, bytes, str]] = []
        for at in range(0, len(keys), _ASKED_AT_ONCE):
            some = keys[at : at + _ASKED_AT_ONCE]
            rows = transaction.db.execute(
                "SELECT key, digest, answer FROM idempotency_keys "  # noqa: S608
                f"WHERE key IN ({', '.join('?' * len(some))})",
                some,
            )
            self._known.update((key, (digest, kept)) for key, digest, kept in rows)

    def once(self, key: str | None, content: Mapping[str, Any], run: Callable[[], Answer]) -> str:
        """Return the answer to an action, which is carried out unless its key was answered.

        A refused action leaves nothing behind, so its key is free again.

        Args:
            key: The idempotency key, `None` when there is none.
            content: The whole action, as far as it tells anything.
            run: Carries the action out.
        """
        if key is None:
            return run().text
        digest = digest_of(content)
        known = self._known.get(key)
        if known is None:
            answer = run()
            self._new.append((key, digest, answer.kept))
            return answer.text
        if known[0] != digest:
            message = f"The idempotency key {key!r} was used for another request"
            raise Refusal(409, "idempotency_key_conflict", message)
        return answer_again(self._transaction, known[1])

    def store(self) -> None:
        """Keep the answers of the keys that were new."""
        self._transaction.db.executemany("INSERT INTO idempotency_keys VALUES (?, ?, ?)", self._new)


def check_key(key: object) -> str | None:
    """Return the key of a single call, which may have none.

    Raises:
        Refusal: It is too short, too long, or no text.
    """
    if key is None or (isinstance(key, str) and MIN_KEY <= len(key) <= MAX_KEY):
        return key
    raise invalid_field("idempotency_key", f"must have {MIN_KEY} to {MAX_KEY} characters")
