"""Arrays and tables of the known libraries: their shape and type, without their data."""

from __future__ import annotations

from typing import Any

from prefactor_trace._capture.classes import bases_of, class_name, module_of, qualified_name

_LIBRARIES = frozenset(
    {
        "cupy",
        "jax",
        "jaxlib",
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "tensorflow",
        "torch",
    }
)
_MAX_COLUMNS = 64


def describe(value: Any, kind: type) -> Any:
    """Return a NumPy scalar as the number that it is, and what an array or a table looks like.

    ``None`` where `value` is none of them.
    """
    number = _number_of(value, kind)
    return _describe_array(value, kind) if number is None else number


def _describe_array(value: Any, kind: type) -> dict[str, Any] | None:
    # Only what those libraries themselves define is asked, never a class of the agent's that is
    # made to look like one.
    if module_of(kind).partition(".")[0] not in _LIBRARIES:
        return None
    try:
        shape = [int(size) for size in value.shape]
    except Exception:  # noqa: BLE001  # some other class of theirs
        return None
    described: dict[str, Any] = {"type": class_name(kind), "shape": shape}
    dtype = getattr(value, "dtype", None)
    columns = getattr(value, "columns", None)
    if dtype is not None:
        described["dtype"] = str(dtype)
    elif columns is not None:
        described["columns"] = [str(name) for name in list(columns)[:_MAX_COLUMNS]]
    return described


def _number_of(value: Any, kind: type) -> Any:
    if module_of(kind) != "numpy" or not any(
        qualified_name(base) == "generic" for base in bases_of(kind)
    ):
        return None
    number = value.item()
    return number if type(number) in (bool, int, float, str) else None
