"""What became of every span is known at every moment, and told."""

import asyncio
import gc
import threading

import pytest

import prefactor_trace as prefactor

from .checks import check_sum, names, record
from .conftest import HASTE
from .fault_server import hold, refuse


def poison(server, *bad):
    """Have the service refuse the spans of these names."""
    server.poison(lambda item: item.get("details", {}).get("payload", {}).get("name") in bad)


def test_a_later_success_does_not_hide_a_loss(server, connect):
    """`flush` stays false once something was refused, and lists what."""
    poison(server, "run/1")
    tracer = connect()
    assert tracer.flush(20)
    record(tracer, 3)
    assert not tracer.flush(20)
    record(tracer, 3, run="good")
    receipt = tracer.flush(20)
    assert not receipt
    assert (receipt.delivered, len(receipt.rejected), receipt.dropped, receipt.pending) == (
        (7, 1, 0, 0)
    )


def test_flush_waits_for_what_came_before_it_only(server, connect):
    """What other threads go on recording is not its matter."""
    tracer = connect(max_buffer_spans=10**6)
    stop = threading.Event()

    def go_on():
        # As fast as an agent that does something; not so fast that nobody could keep up.
        while not stop.wait(0.002):
            record(tracer, 5, run="other")

    other = threading.Thread(target=go_on)
    other.start()
    try:
        record(tracer, 5, run="mine")
        assert tracer.flush(30)
        assert {"mine", "mine/4"} <= set(names(server))
    finally:
        stop.set()
        other.join()


def test_the_sum_holds_at_every_moment(server, connect):
    """Sampled from another thread while requests fail and items are refused."""
    poison(server, *(f"{n}/3" for n in range(20)))
    server.script(*[refuse(503), refuse(422)] * 10)
    tracer = connect(max_buffer_spans=60)
    stop, samples = threading.Event(), []

    def sample():
        while not stop.is_set():
            check_sum(tracer)
            samples.append(tracer.stats().started)

    sampler = threading.Thread(target=sample)
    sampler.start()
    for n in range(20):
        record(tracer, 9, run=str(n))
    receipt = tracer.flush(30)
    stop.set()
    sampler.join()
    assert len(set(samples)) > 1
    assert receipt.pending == 0
    stats = tracer.stats()
    assert stats.started == 200
    assert stats.delivered + stats.rejected + stats.dropped == 200
    assert stats.delivered == len(names(server))


def test_stats_tell_of_requests_retries_and_the_last_error(server, connect):
    """Bytes are those of the bodies that were sent."""
    server.script(refuse(503, message="come back later"))
    tracer = connect()
    record(tracer, 3)
    assert tracer.flush(20)
    stats = tracer.stats()
    assert stats.requests == len(server.bodies)
    assert stats.bytes_sent == sum(map(len, server.bodies))
    assert stats.retries == 1
    assert stats.last_error == "come back later"
    assert stats.spool_bytes == 0


def test_the_users_functions_are_told_of_losses(server, connect):
    """Each refusal as it is in the receipt, drops by reason and number, off the agent's thread."""
    rejections, drops, threads = [], [], set()

    def on_reject(rejection):
        threads.add(threading.current_thread())
        rejections.append(rejection)

    def on_drop(reason, count):
        threads.add(threading.current_thread())
        drops.append((reason, count))

    go = threading.Event()
    poison(server, "run/1")
    server.script(hold(go))
    tracer = connect(on_reject=on_reject, on_drop=on_drop, max_buffer_spans=8)
    record(tracer, 3)
    server.wait_for_requests(1)
    record(tracer, 9, run="full")
    go.set()
    receipt = tracer.flush(20)
    assert rejections == list(receipt.rejected)
    assert len(rejections) == 1
    assert {reason for reason, _ in drops} == {"buffer full"}
    assert sum(count for _, count in drops) == receipt.dropped > 0
    assert threading.current_thread() not in threads


def test_a_function_of_the_user_that_raises_stops_nothing(server, connect, caplog):
    """It is logged once, and called the next time again."""
    calls = []

    def on_reject(rejection):
        calls.append(rejection)
        raise RuntimeError("a fault of the user's")

    poison(server, "run/0", "run/2")
    tracer = connect(on_reject=on_reject)
    record(tracer, 4)
    assert tracer.flush(20).pending == 0
    assert len(calls) == 2
    assert names(server) == ["run", "run/1", "run/3"]
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == 1


def test_a_function_of_the_user_may_use_the_library(server, connect):
    """It records, flushes and asks; it is not called again inside itself."""
    depth, deepest = 0, 0

    def on_reject(rejection):
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        record(tracer, 1, run=f"about {rejection.code}")
        tracer.flush(1)
        check_sum(tracer)
        depth -= 1

    poison(server, "run/0", "about validation_errors/0")
    tracer = connect(on_reject=on_reject)
    record(tracer, 1)
    for _ in range(3):
        tracer.flush(20)
    assert deepest == 1
    assert names(server).count("about validation_errors") >= 1


@pytest.mark.parametrize("name", ["on_reject", "on_drop", "http_client"])
def test_what_is_no_function_or_client_is_refused(name):
    """One error that names the setting and what would be right."""
    with pytest.raises(prefactor.exceptions.SettingsError, match=f"setting {name} must be an? "):
        prefactor.Tracer(api_token="t", **{name: "nonsense"})


async def test_aflush_leaves_the_loop_running(server):
    """Others go on while it waits for the service."""
    go = threading.Event()
    server.script(hold(go))
    prefactor.configure(api_url=server.url, **HASTE)
    with prefactor.instance(), prefactor.span("s", {"name": "a"}):
        pass
    flushing = asyncio.ensure_future(prefactor.aflush(20))
    while not server.bodies:
        await asyncio.sleep(0)
    assert not flushing.done()
    go.set()
    assert await flushing
    assert names(server) == ["a"]


async def test_aflush_can_be_given_up(server, connect):
    """A cancelled one leaves nothing behind that fails later, nor does one that times out."""
    go = threading.Event()
    server.script(hold(go))
    tracer = connect()
    record(tracer, 1)
    flushing = asyncio.ensure_future(tracer.aflush(20))
    await asyncio.sleep(0)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    assert not await tracer.aflush(0.05)
    go.set()
    assert await tracer.aflush(20)
    gc.collect()


async def test_flush_within_a_loop_does_not_deadlock(server, connect):
    """It holds the loop, for as long as it takes and no longer."""
    tracer = connect()
    async with tracer.instance():
        async with tracer.span("s", {"name": "a"}):
            pass
    assert tracer.flush(20)
    assert names(server) == ["a"]


async def test_aflush_while_off_is_true():
    """Nothing was recorded, so nothing is missing."""
    assert await prefactor.Tracer(enabled=False).aflush()
