"""A decorated function as wrapt wraps it."""

import copy
import inspect
import pickle
import types

import pytest

from prefactor_trace._wrapper import Wrapped, find_marks


def run(wrapped, instance, args, kwargs):
    """Call what is wrapped, and say with which object."""
    return instance, wrapped(*args, **kwargs)


def mark(*marks):
    """Return a decorator that wraps a function with these marks."""

    def decorate(function):
        wrapped = Wrapped(function, run)
        wrapped._self_marks = marks
        return wrapped

    return decorate


@mark("outer", "inner")
def double(n):
    """Double."""
    return 2 * n


class Tool:
    """A tool with wrapped methods."""

    def __init__(self, name):
        self.name = name

    @mark("use")
    def use(self, n):
        """Use it."""
        return self.name, n

    @mark("of class")
    @classmethod
    def of_class(cls):
        """Use the class."""
        return cls

    @classmethod
    @mark("in class")
    def in_class(cls):
        """Use the class."""
        return cls

    @mark("static")
    @staticmethod
    def static(n):
        """Use nothing."""
        return n


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_function_is_pickled_by_its_name(protocol):
    """In every protocol, as functions are."""
    assert pickle.loads(pickle.dumps(double, protocol)) is double


def test_a_function_is_its_own_copy():
    """As functions are."""
    assert copy.copy(double) is double
    assert copy.deepcopy({"f": double})["f"] is double


def test_a_bound_method_is_pickled_with_its_object():
    """The copy is bound to the copy of the object."""
    use = pickle.loads(pickle.dumps(Tool("a").use))
    tool, result = use(1)
    assert (type(tool), result) == (Tool, ("a", 1))


def test_a_method_of_the_class_is_pickled_with_the_class():
    """It is found there again."""
    assert pickle.loads(pickle.dumps(Tool.of_class))()[1] is Tool


def test_a_static_method_is_pickled_by_its_name():
    """As the function that it is."""
    assert pickle.loads(pickle.dumps(Tool.static))(3) == (None, 3)


def test_marks_are_found_however_the_function_is_reached():
    """Bound, of the class, or inside of what makes it a method of the class."""
    assert find_marks(double) == ("outer", "inner")
    assert find_marks(Tool("a").use) == find_marks(Tool.use) == ("use",)
    assert find_marks(Tool.of_class) == find_marks(Tool.__dict__["of_class"]) == ("of class",)
    assert find_marks(Tool.__dict__["in_class"]) == ("in class",)
    assert find_marks(Tool.static) == ("static",)


def test_what_is_not_decorated_has_no_marks():
    """Whatever it is."""
    assert [find_marks(one) for one in (len, run, Tool, None, staticmethod(run))] == [()] * 5


def test_a_decorated_function_is_shown_as_the_function_that_it_is():
    """By its name, alone and bound: in a notebook, in the log of a framework."""
    assert repr(double) == repr(inspect.unwrap(double))
    tool = Tool("a")
    assert repr(tool.use) == repr(types.MethodType(inspect.unwrap(Tool.use), tool))
