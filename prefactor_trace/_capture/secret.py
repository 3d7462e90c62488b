"""Values that are told to be secret."""

from __future__ import annotations

from prefactor_trace.exceptions import UsageError


def register_secret(value: str) -> None:
    """Hide a value wherever it turns up in what is recorded from now on.

    Also inside longer text, and URL- or base64-encoded; for every tracer of the process.

    Args:
        value: The secret, at least four characters.

    Raises:
        UsageError: It is not text, or so short that it would be found in every text.
    """
    if not isinstance(value, str) or not note_secret(value):
        raise UsageError("register_secret takes text of at least four characters")


def note_secret(value: str) -> bool:
    """Hide a value that was seen to be secret; return whether it is long enough for that."""
    # Not with the library: redaction takes as long to load as the rest of it.
    from prefactor_trace._capture.redaction_values import process_secrets

    return process_secrets.add(value)
