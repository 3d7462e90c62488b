"""Decorated functions of a module, as a child process finds them."""

import prefactor_trace as prefactor


@prefactor.span("double")
def double(n: int) -> int:
    """Double."""
    return 2 * n


class Tool:
    """A tool with decorated methods."""

    @prefactor.span
    def use(self, n: int) -> int:
        """Use it."""
        return n

    @prefactor.span
    @classmethod
    def of_class(cls, n: int) -> int:
        """Use the class."""
        return n


def place() -> tuple[str | None, str | None]:
    """Return the ids of the instance and the span that the code is in."""
    run, span = prefactor.current_instance(), prefactor.current_span()
    return run and run.id, span and span.id
