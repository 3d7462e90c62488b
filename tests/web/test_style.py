"""The colours of the page, which must be readable in light and dark."""

import importlib.resources
import itertools
import re

import pytest

_SHEET = (importlib.resources.files("prefactor_trace.server") / "web" / "style.css").read_text()
_TEXTS = ("ink", "dim", "accent", "good", "bad", "open", "warn")
_GROUNDS = ("back", "paper", "soft", "chosen")
_READABLE = 4.5  # of WCAG 2, for texts of any size


def palettes() -> list[dict[str, str]]:
    """Return the colours of each block that sets them, by their names."""
    blocks = re.findall(r"color-scheme: (?:light|dark);([^}]*)}", _SHEET)
    return [dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", block)) for block in blocks]


def luminance(colour: str) -> float:
    """Return how light a colour is to the eye."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG has it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", palettes(), ids=["light", "dark by system", "dark"])
def test_every_text_can_be_read_on_every_ground(scheme: dict[str, str]) -> None:
    """Also what says in colour that something failed, on the row that is chosen."""
    weak = {
        f"{text} on {ground}": contrast(scheme[text], scheme[ground])
        for text, ground in itertools.product(_TEXTS, _GROUNDS)
        if contrast(scheme[text], scheme[ground]) < _READABLE
    }
    on_bars = {
        bar: contrast(scheme[text], scheme[bar])
        for text, bar in (("on", "bar"), ("paper", "bad"), ("paper", "open"), ("paper", "warn"))
    }
    assert weak == {}
    assert min(on_bars.values()) >= _READABLE, on_bars


def test_dark_is_dark_however_it_is_chosen() -> None:
    """The system's choice and the button's have the same colours."""
    _, by_system, by_button = palettes()
    assert by_system == by_button
