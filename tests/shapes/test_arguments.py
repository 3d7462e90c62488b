"""What is done to the arguments of a traced call: they are shown as they were, and left alone."""

import contextvars
import io
import threading
import tracemalloc

import pytest

from prefactor_trace import _calls, _plain, _record
from prefactor_trace._capture import snapshot
from prefactor_trace._pipeline import item, writer

LARGE = 10_000_000


class Untouchable:
    """Raises from whatever a tracer might ask of a value, and says what it was."""

    def __init__(self):
        self.lock = threading.Lock()

    def _refuse(self, *args, **kwargs):
        raise AssertionError("the library ran code of the agent's")

    __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = _refuse
    __copy__ = __deepcopy__ = __reduce_ex__ = __getattr__ = __getitem__ = __next__ = _refuse
    lazy = property(_refuse)


async def call_each(t, body, args):
    """Call `body`, with new arguments each time, in every kind of function."""

    @t.span("plain")
    def plain(*values):
        return body(*values)

    @t.span("coroutine")
    async def coroutine(*values):
        return body(*values)

    @t.span("generator")
    def generator(*values):
        yield body(*values)

    @t.span("async generator")
    async def async_generator(*values):
        yield body(*values)

    with t.instance():
        return [
            plain(*args()),
            await coroutine(*args()),
            *generator(*args()),
            *[item async for item in async_generator(*args())],
        ]


async def test_arguments_are_shown_as_they_were(tracer):
    """Though the function empties its list."""
    t = tracer()
    assert await call_each(t, list.clear, lambda: [[1, [2]]]) == [None] * 4
    assert [span["payload"]["values"] for span in t.spans()] == [[[1, [2]]]] * 4


async def test_arguments_are_not_asked_for_anything(tracer):
    """No copy, no text, no truth, no property: they are named by their class."""
    t = tracer()
    given = Untouchable()
    taken = await call_each(t, lambda value, within: value, lambda: [given, {"list": [given]}])
    assert all(one is given for one in taken)
    named = {"type": f"{__name__}.Untouchable"}
    for span in t.spans():
        assert span["payload"]["values"] == [named, {"list": [named]}]
        assert span["status"] == "complete"


async def asynchronous():
    """Give one item."""
    yield 1


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: (n for n in range(3)), "builtins.generator"),
        (lambda: map(int, "012"), "builtins.map"),
        (lambda: iter([0, 1, 2]), "builtins.list_iterator"),
        (lambda: zip([0, 1, 2], strict=False), "builtins.zip"),
        (lambda: io.StringIO("0\n1\n2"), "_io.StringIO"),
    ],
)
async def test_what_can_be_read_once_is_left_to_the_body(tracer, make, kind):
    """An iterator or a file has all its items yet, and is shown as its type."""
    t = tracer()
    assert await call_each(t, lambda items: len(list(items)), lambda: [make()]) == [3] * 4
    assert [span["payload"]["values"] for span in t.spans()] == [[{"type": kind}]] * 4


async def test_an_async_iterator_is_left_to_the_body(tracer):
    """It has all its items yet."""
    t = tracer()

    @t.span("read")
    async def read(items):
        return [item async for item in items]

    with t.instance():
        assert await read(asynchronous()) == [1]
    assert t.one("read")["payload"] == {"items": {"type": "builtins.async_generator"}}


def texts_in(value):
    """Return the texts of a plain value, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


async def test_large_texts_are_not_copied_while_the_agent_waits(tracer, monkeypatch):
    """What is recorded holds the very text that was given; another thread encodes it."""
    t = tracer(max_buffer_bytes=1_000_000_000)
    large, recorded, encoded = "x" * LARGE, [], []

    def watch(module, name, seen, *, of_result):
        plain = getattr(module, name)

        def watched(value, *rest):
            result = plain(value, *rest)
            seen.append((threading.current_thread(), result[0] if of_result else value))
            return result

        monkeypatch.setattr(module, name, watched)

    for module in (_record, _plain, _calls):
        watch(module, "snapshot", recorded, of_result=True)
    for module in (item, writer):
        watch(module, "serialise", encoded, of_result=False)
    returned = await call_each(t, lambda text, _: text, lambda: [large, {"deep": [large]}])
    assert all(text is large for text in returned)
    assert [len(span["payload"]["values"][0]) < LARGE for span in t.spans()] == [True] * 4
    here = threading.current_thread()
    found = [text for thread, copy in recorded if thread is here for text in texts_in(copy)]
    assert len(found) >= 4 * 2
    assert all(text is large for text in found)
    assert encoded
    assert not [thread for thread, _ in encoded if thread is here]


@pytest.mark.parametrize(
    "value",
    ["x" * LARGE, b"x" * LARGE, bytearray(LARGE), {"deep": [{"text": "x" * LARGE}]}, io.BytesIO()],
    ids=["text", "bytes", "bytearray", "deep", "file"],
)
def test_a_copy_takes_no_room_for_what_is_large(value):
    """Texts are shared, and of bytes only the head is taken."""
    snapshot(value)
    tracemalloc.start()
    try:
        snapshot(value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000


async def test_context_variables_are_set_for_the_caller_too(tracer):
    """As without a decorator: the body runs in the caller's own context."""
    t = tracer()
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    def body():
        seen.append(variable.get())
        variable.set(variable.get() + 1)

    await call_each(t, body, list)
    assert seen == [0, 1, 2, 3]
    assert variable.get() == 4
