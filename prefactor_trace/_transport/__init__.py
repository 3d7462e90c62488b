"""Where a request goes: to the service, to the local database, or to a test's memory."""

from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.choice import open_transport, target_of

__all__ = ["Answer", "open_transport", "target_of"]
