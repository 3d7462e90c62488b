"""What type checkers and editors are told of the settings; no program loads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypedDict

import httpx

from prefactor_trace.models import InstancePurpose
from prefactor_trace.receipts import Rejection


class GivenSettings(TypedDict, total=False):
    """The settings that `configure` and `Tracer` take; ``None`` is as good as leaving one out."""

    api_url: str | None
    api_token: str | None
    agent_id: str | None
    agent_name: str | None
    version: str | None
    environment_id: str | None
    purpose: InstancePurpose | None
    enabled: bool | None
    local: bool | None
    local_db: str | os.PathLike[str] | None
    offline: bool | None
    session: str | None
    on_terminate: Literal["continue", "raise"] | None
    keep_failed: bool | None
    sample_rate: float | None
    ambient: bool | None
    capture_inputs: bool | None
    capture_outputs: bool | None
    max_input_length: int | None
    max_output_length: int | None
    flush_interval: float | None
    exit_timeout: float | None
    handle_signals: bool | None
    request_timeout: float | None
    max_batch_items: int | None
    max_batch_bytes: int | None
    max_buffer_spans: int | None
    max_buffer_bytes: int | None
    spool_dir: str | os.PathLike[str] | None
    spool_max_bytes: int | None
    retry_on_status_codes: Iterable[int] | None
    retry_first_delay: float | None
    retry_max_delay: float | None
    max_age: float | None
    redact_keys: Iterable[str] | None
    redact: Callable[[tuple[str | int, ...], Any], Any] | None
    allow_insecure: bool | None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None
    http_client: httpx.Client | None
    on_reject: Callable[[Rejection], object] | None
    on_drop: Callable[[str, int], object] | None
