"""Values that somebody says are secret, or that are of a class for secrets."""

from __future__ import annotations

import types
from typing import Any

from prefactor_trace._capture.classes import bases_of, module_of, qualified_name, stored_in
from prefactor_trace._notes import MARKER
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


def is_secret(kind: type) -> bool:
    """Return whether a class is one of those that pydantic has for secrets."""
    return module_of(kind) == "pydantic.types" and qualified_name(kind) in (
        "SecretStr",
        "SecretBytes",
    )


def hide(value: Any, kind: type) -> str:
    """Return what stands for a secret, which from now on is hidden elsewhere too."""
    secret = read_stored(value, kind, "_secret_value", None)
    if isinstance(secret, bytes):
        secret = secret.decode("utf-8", "replace")
    if isinstance(secret, str):
        note_secret(secret)
    return MARKER


def read_stored(value: Any, kind: type, name: str, missing: object) -> Any:
    """Read a field from the object's dict or slot, never through a property."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = {}
    if name in held:
        return held[name]
    for base in bases_of(kind):
        descriptor = stored_in(base, name)
        if isinstance(descriptor, types.MemberDescriptorType):
            try:
                return descriptor.__get__(value)
            except AttributeError:
                return missing
    return missing
