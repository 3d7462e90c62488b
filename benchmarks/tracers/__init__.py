"""The tracers that are compared: one module each, imported only in the process that measures it."""

from __future__ import annotations

import importlib
import importlib.metadata

from benchmarks.tracers.tracer import Tracer

# Module to class; ours first, the floor last.
_CLASSES = {
    "ours": "PrefactorTrace",
    "otel": "OpenTelemetry",
    "langfuse_sdk": "Langfuse",
    "langsmith_sdk": "LangSmith",
    "logfire_sdk": "Logfire",
    "sentry": "Sentry",
    "official": "PrefactorCore",
    "floor": "Floor",
}

NAMES = tuple(_CLASSES)


def tracer_class(name: str) -> type[Tracer]:
    """Return the class of a tracer, whose library need not be installed."""
    module = importlib.import_module(f"benchmarks.tracers.{name}")
    found: type[Tracer] = getattr(module, _CLASSES[name])
    return found


def missing_packages(name: str) -> list[str]:
    """Return the distributions that a tracer needs and that are not installed."""
    return [one for one in tracer_class(name).packages if not _version(one)]


def versions(name: str) -> dict[str, str]:
    """Return the versions of a tracer's distributions."""
    return {one: _version(one) for one in tracer_class(name).packages}


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
