"""What is taken of the agent's values: copied on its thread, cut to size off it."""

from prefactor_trace._capture.classes import attribute_of, bases_of, module_of, qualified_name
from prefactor_trace._capture.errors import ErrorSnapshot, members, snapshot_error
from prefactor_trace._capture.objects import ids_of
from prefactor_trace._capture.secret import register_secret
from prefactor_trace._capture.strict_json import to_json
from prefactor_trace._capture.truncation import serialise
from prefactor_trace._capture.values import Json, as_mapping, snapshot
from prefactor_trace._substitutes import Cut, holds_cut, read_cut

__all__ = [
    "Cut",
    "ErrorSnapshot",
    "Json",
    "as_mapping",
    "attribute_of",
    "bases_of",
    "holds_cut",
    "ids_of",
    "members",
    "module_of",
    "qualified_name",
    "read_cut",
    "register_secret",
    "serialise",
    "snapshot",
    "snapshot_error",
    "to_json",
]
