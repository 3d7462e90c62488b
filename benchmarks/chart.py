"""`results.svg`, from what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.goals import OURS
from benchmarks.rounds import Found
from benchmarks.tracers import tracer_class

_PANELS = {
    "bare block": ("cost.block.ns", 1e-3, "us on the agent's thread"),
    "with payload and result": ("cost.data.ns", 1e-3, "us on the agent's thread"),
    "decorated function": ("cost.decorated.ns", 1e-3, "us on the agent's thread"),
    "CPU of the process": ("cost.data.cpu_ns", 1e-3, "us a span, all told"),
}

_LEFT = 0.1


def draw(found: Found, path: Path) -> bool:
    """Write the chart; say whether the library that draws it is installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    mpl.use("svg")
    # The same numbers are the same file: no random ids, no date.
    mpl.rcParams.update({"svg.hashsalt": "results", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
    figure.suptitle("What a span costs (logarithmic; shorter is better)")
    for axis, (title, (key, scale, unit)) in zip(axes.flat, _PANELS.items(), strict=True):
        _draw_panel(axis, {n: of[key] * scale for n, of in found.items() if of.get(key, 0) > 0})
        axis.set_title(title)
        axis.set_xlabel(unit)
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
    return True


def _draw_panel(axis: Any, values: dict[str, float]) -> None:
    names = list(values)[::-1]
    colours = ["#2563eb" if name == OURS else "#b6bcc6" for name in names]
    bars = axis.barh(
        [tracer_class(n).says for n in names], [values[n] for n in names], color=colours
    )
    axis.set_xscale("log")
    axis.xaxis.set_minor_formatter("")
    axis.bar_label(bars, fmt="%.3g", padding=3)
    # All begin at the same value: of a logarithmic bar the length says nothing by itself.
    axis.set_xlim(_LEFT, max(values.values(), default=1.0) * 4)
    axis.spines[["top", "right"]].set_visible(False)
