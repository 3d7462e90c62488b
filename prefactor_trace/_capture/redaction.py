"""Secrets, taken out of plain JSON before it is written, shown or sent.

Four rules, in this order: by the name that a value has, by known value, by shape, by the user's
hook. They run off the agent's thread. What they cannot finish is hidden, never passed on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from prefactor_trace import _guard
from prefactor_trace._capture.redaction_clean import JSON_BEGINS, CleanTexts
from prefactor_trace._capture.redaction_hook import GuardedHook, Hook
from prefactor_trace._capture.redaction_keys import SecretNames
from prefactor_trace._capture.redaction_shapes import SecretShapes
from prefactor_trace._capture.redaction_values import (
    SHORTEST,
    KnownSecrets,
    environment_secrets,
    process_secrets,
)
from prefactor_trace._capture.redaction_walk import Walk
from prefactor_trace._capture.values import Json
from prefactor_trace._locks import make_lock
from prefactor_trace._notes import ALL_REDACTED, MARKER

__all__ = ["Hook", "Redactor"]


class Redactor:
    """Takes secrets out of payloads and texts. Safe to be used by several threads.

    Args:
        keys: Names whose values are hidden, besides the built-in ones.
        hook: The user's own rule, called for each single value that is left.
        environ: Variables among which credentials are looked for; the process's own if missing.
        known: Values to hide; those of the process, which `register_secret` adds to, if missing.
        limit: Bytes that payloads are cut to afterwards, if they are.

    Attributes:
        failures: How often redaction could not do its work and hid everything, by reason.

    Raises:
        ValueError: A key is no name.
    """

    def __init__(
        self,
        keys: Iterable[str] = (),
        hook: Hook | None = None,
        environ: Mapping[str, str] | None = None,
        known: KnownSecrets | None = None,
        limit: int | None = None,
    ) -> None:
        self.failures: dict[str, int] = {}
        self._names = SecretNames(keys)
        self._shapes = SecretShapes(self._names)
        self._known = process_secrets if known is None else known
        self._clean = CleanTexts(self._known, limit)
        self._clean_names = CleanTexts(self._known)  # and other texts of which all is sent
        self._environ: Mapping[str, str] | None = os.environ if environ is None else environ
        self._lock = make_lock()
        self._hook = None if hook is None else GuardedHook(hook, self._count_failure)

    @property
    def known(self) -> int:
        """A number that grows with each value that is known to be secret."""
        if self._environ is not None:
            self._read_environment()
        return self._known.version

    def register(self, value: str) -> bool:
        """Hide `value` wherever it turns up from now on.

        Returns:
            Whether it is: a value of fewer than four characters would be found in every text.
        """
        return self._known.add(value)

    def redact(self, payload: dict[str, Json]) -> tuple[dict[str, Json], int]:
        """Return `payload` without secrets, and how many values were replaced.

        The argument is not changed; what holds no secret is shared with the result.
        """
        try:
            self._get_ready()
            if self._hook is None and self._clean.covers(payload, self._is_clean):
                return payload, 0
            result, count = self._walk(payload)
            if self._hook is not None:
                result, more = self._hook.apply(result)
                if more:
                    count += more
                    # What the hook made of a value may hold a secret again.
                    result, more = self._walk(result)
                    count += more
        except Exception as error:  # noqa: BLE001  # hidden as a whole rather than shown
            self._count_failure("fault")
            _guard.log_fault("redacting a payload", error)
            return {ALL_REDACTED: MARKER}, 1
        return result, count

    def spares(self, payload: dict[str, Json], result: dict[str, Json]) -> bool:
        """Return whether it is plain that `redact` would replace nothing in either."""
        if self._hook is not None:
            return False
        try:
            self._get_ready()
            covers, is_clean = self._clean.covers, self._is_clean
            return covers(payload, is_clean) and covers(result, is_clean)
        except Exception:  # noqa: BLE001  # `redact` will meet it too, and says so
            return False

    def redact_text(self, text: str) -> str:
        """Return a text without secrets: known values and what shows by its shape."""
        try:
            self._get_ready()
            self._clean_names.renew()
            return Walk(self._names, self._shapes, self._known, self._clean_names).text(text)
        except Exception as error:  # noqa: BLE001  # hidden as a whole rather than shown
            self._count_failure("fault")
            _guard.log_fault("redacting a text", error)
            return MARKER

    def _is_clean(self, text: str) -> bool:
        """Return whether nothing of a text would be hidden: a walk would leave it as it is."""
        if len(text) >= SHORTEST:
            if self._known.hide(text)[1]:
                return False
            if text[0] in JSON_BEGINS and self._names.hinted(text.lower()):
                return False
            if self._shapes.hide(text)[1]:
                return False
        return True

    def _walk(self, payload: dict[str, Json]) -> tuple[dict[str, Json], int]:
        self._clean.renew()  # the hook may have registered another one
        walk = Walk(self._names, self._shapes, self._known, self._clean)
        return walk.mapping(payload, 0), walk.count

    def _get_ready(self) -> None:
        """Know all secrets that there are; forget what was found clean before they were known."""
        if self._environ is not None:
            self._read_environment()
        self._clean.renew()

    def _read_environment(self) -> None:
        with self._lock:
            for value in environment_secrets(self._environ or {}, self._names):
                self._known.add(value)
            self._environ = None  # not before: another thread would not wait for the values

    def _count_failure(self, reason: str) -> None:
        with self._lock:
            self.failures[reason] = self.failures.get(reason, 0) + 1
