"""Whose code a frame of the stack runs."""

import sys

import wrapt.wrappers

from prefactor_trace import _decorate, _record
from prefactor_trace._frames import is_ours, leads_on
from prefactor_trace.cli import demo_agent


def frame_in(module):
    """Return a frame of code that belongs to a module."""
    return eval("sys._getframe()", dict(vars(module), sys=sys))


def test_the_library_and_wrapt_are_told_from_the_user():
    """The agent of the demo is written like a user's."""
    assert is_ours(frame_in(_record))
    assert is_ours(frame_in(wrapt.wrappers))
    assert not is_ours(sys._getframe())
    assert not is_ours(frame_in(demo_agent))


def test_what_calls_the_users_code_leads_on():
    """Not what works for the library itself."""
    assert leads_on(frame_in(_decorate))
    assert leads_on(frame_in(wrapt.wrappers))
    assert not leads_on(frame_in(_record))
