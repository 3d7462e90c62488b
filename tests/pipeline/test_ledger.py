"""The ledger: the sum holds, and a receipt is true only when nothing is missing."""

import pytest

from prefactor_trace._pipeline.ledger import Ledger
from prefactor_trace.receipts import Receipt, Rejection

REJECTION = Rejection("id", "step", "validation_errors", "no")


def test_sum_holds_after_every_step():
    """`started` is what was delivered, rejected, dropped, and is pending."""
    untaken = 10
    ledger = Ledger(lambda: untaken)

    def check(started):
        stats = ledger.stats()
        parts = stats.delivered + stats.rejected + stats.dropped + stats.pending
        assert stats.started == parts == started

    check(10)
    with ledger.lock:
        untaken = 4
        ledger.take(6)
    check(10)
    ledger.deliver(1)
    ledger.reject(REJECTION, is_span=True)
    ledger.reject(REJECTION, is_span=False)
    ledger.drop("too old", taken=True)
    check(10)
    ledger.drop("buffer full", taken=False)
    check(11)
    stats = ledger.stats()
    assert (stats.delivered, stats.rejected, stats.dropped, stats.pending) == (1, 1, 2, 7)
    assert stats.dropped_by_reason == {"too old": 1, "buffer full": 1}


@pytest.mark.parametrize(
    ("receipt", "truth"),
    [
        (Receipt(5, (), 0, 0), True),
        (Receipt(5, (REJECTION,), 0, 0), False),
        (Receipt(5, (), 1, 0), False),
        (Receipt(5, (), 0, 1), False),
    ],
)
def test_receipt_is_true_only_when_all_has_arrived(receipt, truth):
    """Anything rejected, dropped or pending makes it false."""
    assert bool(receipt) is truth


def test_newest_rejections_are_kept():
    """What a receipt lists is bounded; what it counts is not."""
    ledger = Ledger(lambda: 0)
    ledger.take(1500)
    for number in range(1500):
        ledger.reject(Rejection(str(number), "step", "x", "y"), is_span=True)
    rejected = ledger.receipt(0).rejected
    assert (len(rejected), rejected[-1].id) == (1000, "1499")
    assert ledger.stats().rejected == 1500
