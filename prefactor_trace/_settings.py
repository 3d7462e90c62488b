"""Settings: what code gives wins over the environment, which wins over the defaults.

Every field of `Settings` is one row: its variable, its default, how its text is read and what it
may be. `load_settings` is the only place that reads them.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from prefactor_trace import _setting_values as read
from prefactor_trace._nearest import hint
from prefactor_trace._setting_values import Reader
from prefactor_trace.exceptions import SettingsError

DEFAULT_API_URL = "https://app.prefactorai.com"
DEFAULT_PORT = 4590
"""Port of `prefactor-trace serve`, and so of the page that shows local runs."""

PURPOSES = ("live", "smoke_test", "eval")
_ON_TERMINATE = ("continue", "raise")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_CODE_ONLY = ""
"""In place of a variable: the setting is an object, which no text can name."""


def _row(variable: str, default: Any, reader: Reader, doc: str) -> Any:
    metadata = {"variable": variable, "read": reader, "doc": doc}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)  # what is not asked for takes 2 ms
class Settings:
    """Everything that can be set, checked and read-only."""

    api_url: str = _row("PREFACTOR_API_URL", DEFAULT_API_URL, read.url, "Address of the service.")
    api_token: str | None = _row(
        "PREFACTOR_API_TOKEN", None, read.token, "Bearer token; without one nothing is recorded."
    )
    agent_id: str | None = _row(
        "PREFACTOR_AGENT_ID", None, read.text, "Agent that instances belong to (account tokens)."
    )
    agent_name: str | None = _row(
        "PREFACTOR_AGENT_NAME", None, read.text, "Human-readable name of the agent's version."
    )
    version: str | None = _row(
        "PREFACTOR_AGENT_IDENTIFIER",
        None,
        read.text,
        "Version of the agent; its git commit, or that of its distribution, when missing.",
    )
    environment_id: str | None = _row(
        "PREFACTOR_ENVIRONMENT_ID", None, read.text, "Environment to run in (account tokens)."
    )
    purpose: str | None = _row(
        "PREFACTOR_PURPOSE",
        None,
        read.one_of(PURPOSES),
        "Why instances run: live, smoke_test, eval.",
    )
    enabled: bool = _row("PREFACTOR_ENABLED", True, read.switch, "Off: nothing is recorded.")
    local: bool = _row(
        "PREFACTOR_LOCAL",
        False,
        read.switch,
        "Record into the local database instead of a service.",
    )
    local_db: str | None = _row(
        "PREFACTOR_LOCAL_DB",
        None,
        read.path,
        "Local database; in the user's data folder if not set.",
    )
    offline: bool = _row(
        "PREFACTOR_OFFLINE",
        False,
        read.switch,
        "Record, but send nothing: for tests.",
    )
    session: str | None = _row(
        "PREFACTOR_SESSION",
        None,
        read.text,
        "Groups the instances that one command started (local).",
    )
    on_terminate: str = _row(
        "PREFACTOR_ON_TERMINATE",
        "continue",
        read.one_of(_ON_TERMINATE),
        "When the platform ends a run: `continue`, or `raise` where its next span begins.",
    )
    keep_failed: bool = _row(
        "PREFACTOR_KEEP_FAILED",
        False,
        read.switch,
        "Record runs that are not sampled, too, if they fail; held back until their end.",
    )
    sample_rate: float = _row(
        "PREFACTOR_SAMPLE_RATE", 1.0, read.number(0, 1), "Share of instances that are recorded."
    )
    ambient: bool = _row(
        "PREFACTOR_AMBIENT",
        True,
        read.switch,
        "Record spans outside any instance, in one instance of the process.",
    )
    capture_inputs: bool = _row(
        "PREFACTOR_CAPTURE_INPUTS",
        True,
        read.switch,
        "Record the arguments of decorated functions.",
    )
    capture_outputs: bool = _row(
        "PREFACTOR_CAPTURE_OUTPUTS", True, read.switch, "Record what decorated functions return."
    )
    max_input_length: int = _row(
        "PREFACTOR_MAX_INPUT_LENGTH",
        10_000,
        read.number(100, whole=True),
        "Characters of a payload.",
    )
    max_output_length: int = _row(
        "PREFACTOR_MAX_OUTPUT_LENGTH",
        10_000,
        read.number(100, whole=True),
        "Characters of a result.",
    )
    flush_interval: float = _row(
        "PREFACTOR_FLUSH_INTERVAL", 1.0, read.number(0.01, 3600), "Seconds between two deliveries."
    )
    exit_timeout: float = _row(
        "PREFACTOR_EXIT_TIMEOUT",
        5.0,
        read.number(0, 3600),
        "Seconds that exit may wait for delivery.",
    )
    handle_signals: bool = _row(
        "PREFACTOR_HANDLE_SIGNALS",
        False,
        read.switch,
        "Deliver what is left on SIGTERM and SIGHUP.",
    )
    request_timeout: float = _row(
        "PREFACTOR_REQUEST_TIMEOUT",
        10.0,
        read.number(0.1, 600),
        "Seconds of silence from the service after which a request is given up.",
    )
    max_batch_items: int = _row(
        "PREFACTOR_MAX_BATCH_ITEMS", 500, read.number(1, 10_000, whole=True), "Items of a request."
    )
    max_batch_bytes: int = _row(
        "PREFACTOR_MAX_BATCH_BYTES", 1 << 20, read.number(1024, whole=True), "Bytes of a request."
    )
    max_buffer_spans: int = _row(
        "PREFACTOR_MAX_BUFFER_SPANS",
        50_000,
        read.number(1, whole=True),
        "Spans not yet delivered.",
    )
    max_buffer_bytes: int = _row(
        "PREFACTOR_MAX_BUFFER_BYTES",
        64 << 20,
        read.number(1024, whole=True),
        "Bytes not yet delivered, estimated.",
    )
    spool_dir: str | None = _row(
        "PREFACTOR_SPOOL_DIR", None, read.path, "Folder that keeps what is not delivered on disk."
    )
    spool_max_bytes: int = _row(
        "PREFACTOR_SPOOL_MAX_BYTES", 1 << 30, read.number(1024, whole=True), "Bytes of that folder."
    )
    retry_on_status_codes: tuple[int, ...] = _row(
        "PREFACTOR_RETRY_ON_STATUS_CODES",
        (429, *range(500, 600)),
        read.status_codes,
        "Answers after which a request is sent again.",
    )
    retry_first_delay: float = _row(
        "PREFACTOR_RETRY_FIRST_DELAY", 0.5, read.number(0, 3600), "Seconds before the first retry."
    )
    retry_max_delay: float = _row(
        "PREFACTOR_RETRY_MAX_DELAY",
        30.0,
        read.number(0, 3600),
        "Seconds between two retries, at most.",
    )
    max_age: float = _row(
        "PREFACTOR_MAX_AGE",
        3600.0,
        read.number(1),
        "Seconds after which what cannot be sent is given up; never with a spool.",
    )
    redact_keys: tuple[str, ...] = _row(
        "PREFACTOR_REDACT_KEYS",
        (),
        read.names,
        "Names whose values are hidden, besides the built-in ones.",
    )
    redact: Callable[[tuple[str | int, ...], Any], Any] | None = _row(  # noqa: RUF009
        _CODE_ONLY,
        None,
        read.function,
        "Your own rule: called with path and value, returns the value.",
    )
    allow_insecure: bool = _row(
        "PREFACTOR_ALLOW_INSECURE", False, read.switch, "Send over plain http beyond this machine."
    )
    log_level: str | None = _row(
        "PREFACTOR_LOG_LEVEL",
        None,
        read.one_of(_LOG_LEVELS, str.upper),
        "Level of the library's logger; if not set, your program's, else `WARNING`.",
    )
    http_client: Any = _row(  # noqa: RUF009
        _CODE_ONLY, None, read.client, "Your own `httpx.Client`, for every request; you close it."
    )
    on_reject: Callable[[Any], object] | None = _row(  # noqa: RUF009
        _CODE_ONLY, None, read.function, "Called with each `Rejection`, on the background thread."
    )
    on_drop: Callable[[str, int], object] | None = _row(  # noqa: RUF009
        _CODE_ONLY, None, read.function, "Called with the reason and the number of spans given up."
    )

    @property
    def off_reason(self) -> str | None:
        """Why nothing is recorded, or ``None`` when recording is on."""
        if not self.enabled:
            return "it is switched off (enabled=False or PREFACTOR_ENABLED=0)"
        if not self.local and self.api_token is None:
            return (
                "there is no API token: set PREFACTOR_API_TOKEN (or configure(api_token=...)),"
                " or PREFACTOR_LOCAL=1 to record on this machine"
            )
        return None

    def __repr__(self) -> str:
        shown = {
            field.name: "***" if field.name == "api_token" and value else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load_settings(
    given: Mapping[str, object], environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings: `given` over `environ` over the defaults.

    Args:
        given: Setting to value, as passed in code. ``None`` means not given.
        environ: Environment variables; the process's own when missing.

    Raises:
        SettingsError: A name is unknown or a value cannot be used.
    """
    environ = os.environ if environ is None else environ
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    for name in given:
        if name not in fields:
            raise SettingsError(f"unknown setting {name!r}{hint(name, fields)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        variable = field.metadata["variable"]
        value: object = given.get(name)
        if value is None:
            # An empty variable is how shells and compose files say "not set".
            value = environ.get(variable, "").strip() or None
        if value is not None:
            values[name] = _read(name, field.metadata, value)
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _read(name: str, metadata: Mapping[str, Any], value: object) -> Any:
    try:
        return metadata["read"](value)
    except ValueError as error:
        # A token is never shown, not even a wrong one, or one that was put into the URL.
        secret = name == "api_token" or (name == "api_url" and "@" in str(value))
        shown = "" if secret else f", got {value!r}"
        variable = f" (variable {metadata['variable']})" if metadata["variable"] else ""
        raise SettingsError(f"setting {name}{variable} must be {error}{shown}") from None


def _check_together(settings: Settings) -> None:
    if settings.local or settings.api_token is None or settings.allow_insecure:
        return
    if read.is_overheard(settings.api_url):
        raise SettingsError(
            f"setting api_url (variable PREFACTOR_API_URL) is {settings.api_url!r}: the token would"
            " cross the network unencrypted; use https://, or set allow_insecure=True"
        )
