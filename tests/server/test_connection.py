"""The connection that threads share: what a fork finds of it."""

import threading

from prefactor_trace.server import Store, _connection

from .calls import register


def test_a_fork_waits_for_a_store_that_is_being_opened(tmp_path, monkeypatch):
    """No connection is open at the moment of a fork, not even one that is just being made."""
    is_opening, go_on = threading.Event(), threading.Event()
    open_database = _connection.open_database

    def open_slowly(path):
        is_opening.set()
        assert go_on.wait(20)
        return open_database(path)

    monkeypatch.setattr(_connection, "open_database", open_slowly)
    stores, open_at_the_fork = [], []

    def fork():
        _connection._rest()
        open_at_the_fork.extend(one for one in _connection._all if one._connection)
        _connection._go_on()

    opener = threading.Thread(target=lambda: stores.append(Store(tmp_path / "local.db")))
    opener.start()
    assert is_opening.wait(20)
    forker = threading.Thread(target=fork)
    forker.start()
    forker.join(0.1)  # long enough for one that does not wait
    assert forker.is_alive()
    go_on.set()
    forker.join()
    opener.join()
    assert open_at_the_fork == []
    register(stores[0])
    stores[0].close()
