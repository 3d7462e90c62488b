"""What the library writes beside the agent's own values, and whoever shows these reads again.

In payloads and results its keys begin with ``prefactor.``.
"""

from __future__ import annotations

PREFIX = "prefactor."
"""Begins the keys of notes."""

UNDECLARED = "undeclared"
"""Span type that every schema version declares, for spans whose own type it could not know."""

SCHEMA_NAME_KEY = "prefactor.schema_name"
"""Key of the payload that holds the own type of a span sent as `UNDECLARED`."""

LATE_PAYLOAD = "prefactor.payload"
"""Key of the result that holds a payload which was set after the span had been sent."""

TRUNCATED = "prefactor.truncated"
"""Key that marks a payload, or a value in it, of which a part was left out."""

SIZE = "prefactor.size"
"""Key beside that mark in a mapping: how many keys it had."""

REASON = "prefactor.reason"
"""Key beside what stands for a value that was left out: why it was."""

ALL_REDACTED = "prefactor.redacted"
"""Key of what stands for a payload that could not be looked through."""

MARKER = "[redacted]"
"""What stands in the place of a secret; it tells nothing of it."""

CANCELLED = {"error_type": "Cancelled", "message": "the step was cancelled"}
"""In the result of a span that was cancelled when the platform could only take it as failed.

An agent may have an error of its own that is called so: the words together are the library's.
"""
