"""Does a span cost the same in a long run, beside many threads, deep down? `make growth`."""

from __future__ import annotations

from typing import Any

from benchmarks.rounds import measure_alone

_SAYS = {
    "spans of a run: thread": ("spans in one run", "a span, on the agent's thread", "flat"),
    "spans of a run: CPU": ("spans in one run", "a span, CPU of the process", "flat"),
    "threads": ("threads that record at once", "a span, CPU of its thread", "flat"),
    "depth": ("depth of nesting", "a span, on the agent's thread", "flat"),
    "nodes of a payload": ("nodes of a payload", "a node, on the agent's thread", "flat: linear"),
    "characters of a text": ("characters of one text", "a span", "flat: no text is copied"),
}


def as_markdown(found: dict[str, dict[str, float]]) -> str:
    """Return the section of the report."""
    lines = ["Each the least of several rounds.\n"]
    lines.append("| what grows | cost of | should be | sizes and their cost |")
    lines.append("|---|---|---|---|")
    for name, sizes in found.items():
        grows, cost, should = _SAYS[name]
        values = ", ".join(f"{int(size):,}: {_in_unit(ns)}" for size, ns in sizes.items())
        lines.append(f"| {grows} | {cost} | {should} | {values} |")
    return "\n".join(lines) + "\n"


def _in_unit(ns: float) -> str:
    return f"{ns / 1000:.1f} us" if ns >= 1000 else f"{ns:.0f} ns"


def main() -> None:
    """Measure and print."""
    found: dict[str, Any] = measure_alone("ours", "growth")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
