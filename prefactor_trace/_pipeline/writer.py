"""What goes out, written: without secrets, cut to length, as strict JSON.

Everything of the agent's passes here before it is sent or spooled: payloads, results with their
errors, quality records, names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefactor_trace._capture import Json, as_mapping, serialise, to_json
from prefactor_trace._schema import Captures

if TYPE_CHECKING:
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace.models import AgentSchemaVersionForRegister, DataRisk

    _Version = tuple[AgentSchemaVersionForRegister, frozenset[str]]

_MAX_NAMES = 1_000  # remembered; they are few, and the same ones for every span


class Writer:
    """Writes what the agent gave.

    Args:
        settings: Limits, and what to redact.
    """

    def __init__(self, settings: Settings) -> None:
        # Not with the library: redaction takes as long to load as the rest of it.
        from prefactor_trace._capture.redaction import Redactor

        self.settings = settings
        # Bytes of payload and result together of which neither is too long.
        self._both_at_most = min(settings.max_input_length, settings.max_output_length)
        self._names: dict[str, bytes] = {}  # as they are written
        self._names_known = -1  # what was known to be secret then
        self._version: tuple[_Version, int, _Version] | None = None  # declared, and as it is sent
        longest = max(settings.max_input_length, settings.max_output_length)
        self._redactor = Redactor(settings.redact_keys, settings.redact, limit=longest)

    def payload(self, payload: dict[str, Json], size: int = 0) -> bytes:
        """Return a payload as JSON.

        Args:
            payload: The payload.
            size: About how many bytes it takes, if that is known.
        """
        return self._write(payload, self.settings.max_input_length, size)

    def contents(self, payload: dict[str, Json], result: Json, size: int) -> bytes:
        """Return a span's payload and result as JSON, as two members of an object.

        Args:
            payload: The payload.
            result: The result.
            size: About how many bytes both take.
        """
        result = as_mapping(result)
        most = self._both_at_most
        if not self._redactor.spares(payload, result):
            # Before they are cut: a secret that was cut in two would not be known any more.
            payload, result = self._redactor.redact(payload)[0], self._redactor.redact(result)[0]
        elif size <= most:
            # Looked through and written in one, as nearly all are: that takes a third less.
            both = to_json({"payload": payload, "result_payload": result})
            if len(both) <= most:
                return both[1:-1]
        return b'"payload":%b,"result_payload":%b' % (
            serialise(payload, self.settings.max_input_length, size),
            serialise(result, self.settings.max_output_length, size),
        )

    def result(self, result: Json) -> bytes:
        """Return a result as JSON; what is not a mapping becomes ``{"result": ...}``."""
        return self._write(as_mapping(result), self.settings.max_output_length)

    def clean(self, text: str | None) -> str | None:
        """Return a text without secrets."""
        return None if text is None else self._redactor.redact_text(text)

    def text(self, name: str) -> bytes:
        """Return a name as JSON."""
        known = self._redactor.known
        if known != self._names_known or len(self._names) >= _MAX_NAMES:
            self._names.clear()
            self._names_known = known
        written = self._names.get(name)
        if written is None:
            written = self._names[name] = to_json(self._redactor.redact_text(name))
        return written

    def version(self, registry: Registry, risk: DataRisk | None = None) -> _Version:
        """Return what a registry declares, and the names of its span types.

        A type whose name holds a secret is left out: its spans go as undeclared ones.

        Args:
            registry: What was declared.
            risk: That of the span types of which none was said.
        """
        declared = registry.version(
            risk, Captures(self.settings.capture_inputs, self.settings.capture_outputs)
        )
        # The same for run after run, until more is declared, or is known to be secret.
        known, kept = self._redactor.known, self._version
        if kept is None or kept[0] is not declared or kept[1] != known:
            kept = self._version = declared, known, self._clean_version(*declared)
        return kept[2]

    def _clean_version(
        self, version: AgentSchemaVersionForRegister, names: frozenset[str]
    ) -> _Version:
        clean = self._redactor.redact_text
        update = {
            part: [self._without_secrets(one) for one in types if clean(one.name) == one.name]
            for part in ("span_type_schemas", "quality_schemas")
            if (types := getattr(version, part)) is not None
        }
        kept = frozenset(name for name in names if clean(name) == name)
        return version.model_copy(update=update), kept

    def _without_secrets(self, declared: Any) -> Any:
        texts = {
            name: self._redactor.redact_text(said)
            for name in ("title", "description", "template")
            if (said := getattr(declared, name))
        }
        schemas = {
            name: self._clean_schema(schema)
            for name in ("params_schema", "result_schema", "schema_")
            if (schema := getattr(declared, name, None))
        }
        return declared.model_copy(update={**texts, **schemas})

    def _clean_schema(self, schema: Json) -> Json:
        """Return a JSON schema without secrets: defaults and examples may be some."""
        if isinstance(schema, str):
            return self._redactor.redact_text(schema)
        if isinstance(schema, dict):
            return {
                self._redactor.redact_text(key): self._clean_schema(part)
                for key, part in schema.items()
            }
        return [self._clean_schema(part) for part in schema] if type(schema) is list else schema

    @property
    def failures(self) -> dict[str, int]:
        """How often redaction hid everything since it could not do its work, by reason."""
        return dict(self._redactor.failures)

    def _write(self, content: dict[str, Json], limit: int, size: int = 0) -> bytes:
        # Redacted first: a secret that was cut in two would not be known any more.
        return serialise(self._redactor.redact(content)[0], limit, size) if content else b"{}"
