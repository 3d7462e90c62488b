"""Which transport the settings ask for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._transport.offline import OfflineTransport, is_listened_to

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport.transport import Transport


def open_transport(settings: Settings, sdk: str) -> Transport:
    """Return the transport that `settings` ask for; it connects with the first request.

    Args:
        settings: The settings.
        sdk: What the ``X-Prefactor-SDK`` header says.
    """
    if settings.offline or is_listened_to():
        if settings.local and settings.offline:
            told = "prefactor_trace: nothing is kept in the local database: this process is offline"
            _guard.log_once(logging.INFO, "offline", told)
        return OfflineTransport()
    if settings.local:
        from prefactor_trace._transport.local import LocalTransport

        return LocalTransport(settings, sdk)
    from prefactor_trace._transport.http import HttpTransport

    return HttpTransport(settings, sdk)


def target_of(settings: Settings) -> str:
    """Return what names the place that the transport leads to, the same in every process."""
    if settings.offline:
        return "offline"
    return f"local:{settings.local_db or ''}" if settings.local else settings.api_url
