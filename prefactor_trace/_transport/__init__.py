"""Where a request goes: to the service, to the local database, or to a test's memory."""

from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.choice import open_transport, target_of
from prefactor_trace._transport.transport import Transport

__all__ = ["Answer", "Transport", "open_transport", "target_of"]
