"""What the benchmarks ask of a tracer."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from benchmarks.shapes import SHAPES, Operation, Shape


class Tracer(abc.ABC):
    """A tracer that sends to the sink.

    Args:
        url: Where the sink listens.
        mode: Whether it is ``"on"``, ``"off"`` or ``"unsampled"``, each as its users set it.
        roomy: Whether its buffer is to hold 60,000 spans, where its own would not.
        loop: Event loop that coroutines are run on.

    Attributes:
        says: What the report calls it.
        packages: Distributions that must be installed; the versions of all are in the report.
        imports: What a program imports to use it.
        backlog: Spans that its own buffer surely holds undelivered, none where it waits for each.
        note: What must be known to read its numbers.
        modes: States that it has.
        records: Whether anything is delivered.
    """

    says: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    imports: ClassVar[str] = ""
    backlog: ClassVar[int] = 0
    note: ClassVar[str] = ""
    modes: ClassVar[tuple[str, ...]] = ("on", "off", "unsampled")
    records: ClassVar[bool] = True

    def __init__(
        self, url: str, mode: str, *, roomy: bool, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.url = url
        self.mode = mode
        self.roomy = roomy
        self.loop = loop
        self.set_up()

    @abc.abstractmethod
    def set_up(self) -> None:
        """Configure the library."""

    @abc.abstractmethod
    def operations(self) -> dict[str, Operation]:
        """Return an operation for each of the shapes that it has, without their mode."""

    def shapes(self) -> Iterator[tuple[Shape, Operation]]:
        """Yield the shapes of its mode that it has, each with its operation."""
        operations = self.operations()
        for shape in SHAPES:
            name = shape.name.removeprefix(f"{shape.mode}_")
            if shape.mode == self.mode and name in operations:
                yield shape, operations[name]

    def run(self) -> AbstractContextManager[Any]:
        """Return a block that is one run of an agent."""
        return nullcontext()

    @abc.abstractmethod
    def flush(self) -> None:
        """Deliver what is buffered; return once it was accepted."""
