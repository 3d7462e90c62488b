"""Why the run of a program shows nothing, or not all: the advice has to fit the cause."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from prefactor_trace._default import default
from prefactor_trace._tracer import Tracer, tracers
from prefactor_trace.cli.amounts import counted

HOW_TO_RECORD = (
    "put @prefactor.instance(...) on the function that is one run and "
    '@prefactor.span("tool_call") on its steps (import prefactor_trace as prefactor)'
)


def other_databases(database: Path) -> list[Path]:
    """Return the local databases, besides `database`, that this process recorded into."""
    settings = [one._get_settings() for one in tracers()]
    chosen = {Path(one.local_db) for one in settings if one.local and one.local_db}
    return sorted(path for path in chosen if path != database and path.exists())


def what_is_missing() -> str | None:
    """Return in one sentence which spans of this process did not arrive, ``None`` where all did."""
    all_stats = [one.stats() for one in tracers()]
    reasons: Counter[str] = Counter()
    for one in all_stats:
        reasons.update(one.dropped_by_reason)
    causes = [f"{count} dropped ({reason})" for reason, count in sorted(reasons.items())]
    if rejected := sum(one.rejected for one in all_stats):
        causes.append(f"{rejected} rejected")
    if pending := sum(one.pending for one in all_stats):
        causes.append(f"{pending} not delivered in time")
    if not causes:
        return None
    started = sum(one.started for one in all_stats)
    delivered = sum(one.delivered for one in all_stats)
    return f"of {counted(started, 'span')} {delivered} arrived: {', '.join(causes)}"


def why_nothing(name: str, code: int | None) -> str:
    """Return in one sentence why nothing of a program arrived.

    Args:
        name: The program.
        code: Its exit code, ``None`` when it was ended from outside.
    """
    recording = tracers()
    return (
        _did_not_arrive(name, recording)
        or _was_offline(name, recording)
        or _sent_elsewhere(name, recording)
        or _was_off(name)
        or _was_not_sampled(name, recording)
        or _was_cut_short(name, code)
        or _was_not_called(name, recording)
        or f"{name} recorded nothing: {HOW_TO_RECORD}"
    )


def _sent_elsewhere(name: str, recording: Sequence[Tracer]) -> str | None:
    addresses = {
        one._get_settings().api_url
        for one in recording
        if not one._get_settings().local and one.stats().requests
    }
    if not addresses:
        return None
    where = " and ".join(sorted(addresses))
    return f"{name} sent its trace to {where}, as its own settings say; `run` shows local ones"


def _did_not_arrive(name: str, recording: Sequence[Tracer]) -> str | None:
    all_stats = [one.stats() for one in recording]
    if not any(one.started for one in all_stats) or any(one.delivered for one in all_stats):
        return None
    troubles = [one.last_error for one in all_stats if one.last_error]
    return f"nothing that {name} recorded has arrived: {(troubles or ['there was no time'])[0]}"


def _was_offline(name: str, recording: Sequence[Tracer]) -> str | None:
    if not any(one._get_settings().offline and one.stats().started for one in recording):
        return None
    return (
        f"nothing that {name} recorded was kept: it was offline, as tests are; unset"
        " PREFACTOR_OFFLINE, which the pytest plugin sets for all but live tests"
    )


def _was_off(name: str) -> str | None:
    tracer = default._tracer
    reason = None if tracer is None else tracer._get_settings().off_reason
    return None if reason is None else f"{name} recorded nothing: tracing is off: {reason}"


def _was_not_sampled(name: str, recording: Sequence[Tracer]) -> str | None:
    rate = min((one._get_settings().sample_rate for one in recording), default=1.0)
    if rate >= 1:
        return None
    return (
        f"{name} recorded nothing: none of its runs was sampled (sample_rate is {rate:g}); "
        "set PREFACTOR_SAMPLE_RATE=1 to record all"
    )


def _was_cut_short(name: str, code: int | None) -> str | None:
    if code == 0:
        return None
    how = "was terminated" if code is None else f"ended with exit code {code}"
    return f"{name} {how} before it recorded anything"


def _was_not_called(name: str, recording: Sequence[Tracer]) -> str | None:
    if "prefactor_trace._wrapper" not in sys.modules:  # which the first decorator loads
        return None
    where = "" if all(one._get_settings().ambient for one in recording) else " inside a run"
    return f"{name} recorded nothing: none of its decorated functions was called{where}"
