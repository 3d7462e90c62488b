"""Arrays and tables: what they look like is recorded, never their data."""

import json

import pytest

from prefactor_trace._capture import snapshot


def shown(value: object) -> object:
    """Return what is recorded of a value, as strict JSON reads it."""
    copy, _ = snapshot({"value": value})
    return json.loads(json.dumps(copy, allow_nan=False))["value"]


class Fake:
    """What a library's array looks like from outside."""

    def __init__(self, **told: object) -> None:
        self.__dict__.update(told)


def of(module: str, name: str, **told: object) -> object:
    """Return an object of a class that a library would define."""
    return type(name, (Fake,), {"__module__": module})(**told)


def test_an_array_is_its_shape_and_type() -> None:
    """Of an array nothing is copied."""
    array = of("numpy", "ndarray", shape=(3, 2), dtype="float64")
    assert shown(array) == {"type": "numpy.ndarray", "shape": [3, 2], "dtype": "float64"}


def test_a_table_is_its_shape_and_columns() -> None:
    """The names of the columns tell more than their types."""
    table = of("pandas.core.frame", "DataFrame", shape=(10, 2), columns=["a", "b"])
    assert shown(table) == {
        "type": "pandas.core.frame.DataFrame",
        "shape": [10, 2],
        "columns": ["a", "b"],
    }


def test_an_agents_own_class_is_not_asked() -> None:
    """A class of the agent's that has a shape may run any code when it is asked for it."""

    class Mine:
        @property
        def shape(self) -> tuple[int, ...]:
            raise AssertionError("it was asked")

    assert "shape" not in str(shown(Mine()))


def test_other_classes_of_the_libraries_are_named() -> None:
    """What has no shape is shown as its type, as any unknown object."""
    assert shown(of("numpy.random", "Generator")) == {"type": "numpy.random.Generator"}


def test_real_arrays_and_scalars() -> None:
    """The same with NumPy itself; its scalars are plain numbers."""
    numpy = pytest.importorskip("numpy")
    assert shown(numpy.zeros((2, 3), dtype="int32")) == {
        "type": "numpy.ndarray",
        "shape": [2, 3],
        "dtype": "int32",
    }
    assert shown(numpy.int64(7)) == 7
    assert shown(numpy.float32(0.5)) == 0.5
    assert shown(numpy.bool_(True)) is True
    assert shown(numpy.float64("nan")) == "nan"
