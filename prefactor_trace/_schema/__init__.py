"""What spans are: their types, and what is said of each: schemas, risk, template."""

from prefactor_trace._schema.declared import QualityType, SpanType
from prefactor_trace._schema.inference import Captures, Function
from prefactor_trace._schema.options import SpanOptions
from prefactor_trace._schema.registry import Guessed, Registry
from prefactor_trace._schema.risk import Risk, read_risk

__all__ = [
    "Captures",
    "Function",
    "Guessed",
    "QualityType",
    "Registry",
    "Risk",
    "SpanOptions",
    "SpanType",
    "read_risk",
]
