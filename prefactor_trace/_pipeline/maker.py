"""From steps to items: what the service has to be told, and can still take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate, _guard
from prefactor_trace._locks import ForkLock
from prefactor_trace._pipeline import items as make
from prefactor_trace._pipeline.outcome import Fault
from prefactor_trace._pipeline.writer import Writer

if TYPE_CHECKING:
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.intake import Kind, Step
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._pipeline.losses import Losses
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._span import Span

_CALLS = {
    "instance": "register",
    "quality": "record_quality",
    "finish instance": "finish",
}
_ENVELOPE = 16  # bytes of a request beside its items


class Maker:
    """Makes the items of steps. What cannot be made is rejected, and nothing else suffers by it.

    Args:
        buffer: Where spans are claimed.
        registry: What instances declare.
        losses: Told of what cannot be made.
        settings: Limits, and what to redact.
    """

    def __init__(
        self, buffer: Buffer, registry: Registry, losses: Losses, settings: Settings
    ) -> None:
        self._buffer = buffer
        self._registry = registry
        self._losses = losses
        self._writer: Writer | None = None
        # The first registration of a run imports what it needs, and what the user's annotations do.
        # A child that is forked in the midst of an import would wait for it for ever.
        self.loading = ForkLock()
        self.renew(settings)

    def renew(self, settings: Settings) -> None:
        """Go on with other settings; called on any thread."""
        self._settings = settings
        self._most = settings.max_batch_bytes - _ENVELOPE

    @property
    def writer(self) -> Writer:
        """Writes what the agent gave; made on the thread that needs it, since that takes time."""
        writer, settings = self._writer, self._settings
        if writer is None or writer.settings is not settings:
            writer = self._writer = Writer(settings)
        return writer

    @property
    def redaction_failures(self) -> dict[str, int]:
        """How often redaction hid everything since it could not do its work, by reason."""
        return {} if self._writer is None else self._writer.failures

    def make(self, step: Step | Span) -> list[Item]:
        """Return the items of a step, none where the service cannot take it any more."""
        if type(step) is tuple:
            return self._make(*step)
        return self._create(step)  # type: ignore[arg-type, unused-ignore]

    def _create(self, span: Span) -> list[Item]:
        """Make the item of a span that begins here; nearly all are."""
        if span._fate == _fate.LOST or self._lose_with_run(span):
            return []
        try:
            status, payload = self._buffer.claim(span)
            return [self._fit(make.create(span, status, payload, self.writer, span._order))]
        except Exception as error:  # noqa: BLE001
            self._losses.reject_span(span, _say_unserialisable("span", error))
            return []

    def _make(self, kind: Kind, record: Any, order: int) -> list[Item]:
        if kind == "finish span":
            if record._fate == _fate.LOST or self._lose_with_run(record):
                return []
        elif kind != "instance" and record._instance._fate == _fate.LOST:
            if kind == "inherited span":
                self._losses.lose_inherited(record)
            return []
        try:
            with self.loading.lock:
                return [self._fit(item) for item in self._items_of(kind, record, order)]
        except Exception as error:  # noqa: BLE001
            fault = _say_unserialisable(kind, error)
            if kind == "finish span":
                self._losses.reject_span(record, fault)
            elif kind == "inherited span":
                self._losses.lose_inherited(record)
            else:
                self._losses.reject_call(_CALLS[kind], record, fault)
            return []

    def _items_of(self, kind: Kind, record: Any, order: int) -> Iterator[Item]:
        if kind == "instance":
            _load_models()
            version, record._declared = self.writer.version(self._registry, record._options.risk)
            yield make.register(record, self.writer, version, order)
            yield make.start(record, order)
            record._fate = _fate.CREATED
        elif kind == "inherited span":
            # As it was at the fork: how it ends is for the other process to say.
            item = make.create(record, "active", record._payload, self.writer, order)
            item.is_inherited = True
            yield item
        elif kind == "finish span":
            yield make.finish(record, self.writer, order)
        elif kind == "quality":
            yield make.record_quality(record, self.writer, order)
        elif record.terminated:  # by the platform, whose word stands
            record._fate = _fate.SETTLED
        else:
            yield make.finish_instance(record, order)

    def _lose_with_run(self, span: Span) -> bool:
        """Count a span as lost if its run is; return whether that is so."""
        if span._instance._fate != _fate.LOST:
            return False
        self._losses.lose_with_run(span)
        return True

    def _fit(self, item: Item) -> Item:
        if len(item.body) > self._most:
            item.cut(self._most)
        return item


def _load_models() -> None:
    """Import what registrations are made of, although a plugin of pydantic's fails.

    Pydantic loads those that are installed with the first model. Where that comes as late as the
    end of the process, one may not be able to: Logfire's, for example, begins threads. Pydantic
    asks it once.
    """
    try:
        import prefactor_trace.models
    except Exception:  # noqa: BLE001
        import prefactor_trace.models  # noqa: F401


def _say_unserialisable(kind: str, error: Exception) -> Fault:
    _guard.log_fault(f"making a request of a {kind}", error)
    return Fault("unserialisable", repr(error))
