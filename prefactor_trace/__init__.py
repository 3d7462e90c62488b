"""Tracing for AI agents on the Prefactor platform.

Decorate functions with `span`, wrap a run in `instance`; what the agent did arrives at Prefactor
as instances and spans, in order, once each, and the agent never waits for it.
"""

from prefactor_trace._capture import register_secret
from prefactor_trace._carrier import inject, inject_env
from prefactor_trace._context import current_instance, current_span
from prefactor_trace._default import (
    aflush,
    attach,
    attach_env,
    configure,
    declare,
    declare_quality,
    flush,
    instance,
    on_terminate,
    record_quality,
    shutdown,
    span,
    start_span,
    stats,
    trace_stream,
)
from prefactor_trace._flushed import flushed
from prefactor_trace._instance import Instance
from prefactor_trace._propagate import propagate
from prefactor_trace._schema import Risk
from prefactor_trace._span import Span
from prefactor_trace._termination import checkpoint
from prefactor_trace._tracer import Tracer
from prefactor_trace._untraced import ROOT, untraced
from prefactor_trace._version import __version__ as __version__
from prefactor_trace.exceptions import PrefactorTerminated

__all__ = [
    "ROOT",
    "Instance",
    "PrefactorTerminated",
    "Risk",
    "Span",
    "Tracer",
    "aflush",
    "attach",
    "attach_env",
    "checkpoint",
    "configure",
    "current_instance",
    "current_span",
    "declare",
    "declare_quality",
    "flush",
    "flushed",
    "inject",
    "inject_env",
    "instance",
    "on_terminate",
    "propagate",
    "record_quality",
    "register_secret",
    "shutdown",
    "span",
    "start_span",
    "stats",
    "trace_stream",
    "untraced",
]
