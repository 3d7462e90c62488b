"""Idempotency: the same key again gives the stored answer and has no second effect."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from prefactor_trace.server import _json
from prefactor_trace.server._refusal import Refusal, invalid_field
from prefactor_trace.server._transaction import Transaction

MIN_KEY, MAX_KEY = 8, 64


def digest_of(*content: Any) -> bytes:
    """Return what is equal for equal content, whatever the order of keys in it."""
    return blake2b(_json.write_sorted(content).encode(), digest_size=16).digest()


def once(
    transaction: Transaction, key: object, content: Mapping[str, Any], run: Callable[[], str]
) -> str:
    """Return the answer to an action, which is carried out unless its key was already answered.

    A refused action leaves nothing behind, so its key is free again.

    Args:
        transaction: What the action works with.
        key: The idempotency key, `None` when there is none.
        content: The whole action; fields that are `None` count as missing.
        run: Carries the action out.
    """
    if key is None:
        return run()
    if not isinstance(key, str) or not MIN_KEY <= len(key) <= MAX_KEY:
        raise invalid_field("idempotency_key", f"must have {MIN_KEY} to {MAX_KEY} characters")
    # One client leaves out what is missing, another sends it as `null`.
    told = {
        name: value
        for name, value in content.items()
        if value is not None and name != "idempotency_key"
    }
    digest = digest_of(told)
    known = transaction.db.execute(
        "SELECT digest, answer FROM idempotency_keys WHERE key = ?", (key,)
    ).fetchone()
    if known is None:
        answer = run()
        transaction.db.execute(
            "INSERT INTO idempotency_keys VALUES (?, ?, ?)", (key, digest, answer)
        )
        return answer
    if known[0] != digest:
        message = f"The idempotency key {key!r} was used for another request"
        raise Refusal(409, "idempotency_key_conflict", message)
    return str(known[1])
