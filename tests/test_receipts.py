"""Receipts say what became of what was recorded."""

from prefactor_trace.receipts import Receipt, Rejection


def test_a_receipt_is_true_when_all_has_arrived():
    """What was rejected, dropped or is pending makes it false; only pending is unsettled."""
    refused = Rejection("an-id", "step", "validation_errors", "no")
    assert Receipt(delivered=1, rejected=(), dropped=0, pending=0)
    for one in (
        Receipt(delivered=1, rejected=(refused,), dropped=0, pending=0),
        Receipt(delivered=1, rejected=(), dropped=1, pending=0),
    ):
        assert not one
        assert one.is_settled
    pending = Receipt(delivered=1, rejected=(), dropped=0, pending=1)
    assert not pending
    assert not pending.is_settled
