"""Tests of the store: its life, and its sharing among threads and processes."""

import multiprocessing
import os
import sqlite3
import sys
import threading

import pytest

from prefactor_trace.exceptions import DatabaseError
from prefactor_trace.server import Store

from .calls import call, register
from .twin import span_item

SPANS_EACH = 50


def write_spans(store, instance, writer):
    """Create spans one by one and in bulk, and finish each that was created alone."""
    for number in range(SPANS_EACH):
        details = span_item(instance, "", payload={"writer": writer, "n": number})["details"]
        span = call(store, "/agent_spans", {"details": details})["details"]
        call(store, f"/agent_spans/{span['id']}/finish", {"result_payload": {"n": number}})
    items = [
        span_item(instance, f"bulk-{writer}-{number:04}", status="complete")
        for number in range(SPANS_EACH)
    ]
    outputs = call(store, "/bulk", {"items": items})["outputs"]
    assert {output["status"] for output in outputs.values()} == {"success"}


def write_in_process(path, instance, writer, ready):
    """Write as one of several processes that begin together."""
    ready.wait(30)
    with Store(path) as store:
        write_spans(store, instance, writer)


def test_terminate_names_what_stops_it(store):
    """An instance that is not there, or has ended, cannot be terminated."""
    instance = register(store)
    store.terminate(instance["id"], "stop")
    assert store.get_instance(instance["id"]).termination_reason == "stop"
    with pytest.raises(ValueError, match="terminated"):
        store.terminate(instance["id"], "again")
    with pytest.raises(LookupError, match="unknown"):
        store.terminate("unknown")


def test_everything_outlives_a_restart(tmp_path):
    """A store that is opened again has the same account, runs, spans and keys."""
    path = tmp_path / "local.db"
    items = [span_item({"id": "01jz0000000000000000000000000001"}, "create-1")]
    with Store(path) as store:
        instance = register(store, id="01jz0000000000000000000000000001")
        first = call(store, "/bulk", {"items": items})
    with Store(path) as store:
        assert store.account_id == instance["account_id"]
        assert call(store, "/bulk", {"items": items}) == first
        assert len(store.list_spans(instance["id"])) == 1


def test_closing_twice_is_harmless(tmp_path):
    """A closed store can be closed again, and says so when it is used."""
    store = Store(tmp_path / "local.db")
    store.close()
    store.close()
    with pytest.raises(DatabaseError, match="closed"):
        store.list_instances()


def test_a_block_that_raises_changes_nothing(store):
    """A transaction is undone as a whole when its block raises."""

    def write_and_fail():
        with store.writing() as transaction:
            transaction.db.execute("INSERT INTO environments VALUES ('a', 'b')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM environments").fetchone() == (0,)


def test_eight_threads_write_one_store(store):
    """Threads that share a store lose nothing and refuse nothing."""
    instance = register(store)
    faults = []

    def write(writer):
        try:
            write_spans(store, instance, writer)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    counts = store.get_instance(instance["id"]).span_counts
    assert (counts.total, counts.complete) == (16 * SPANS_EACH, 16 * SPANS_EACH)


def test_four_processes_write_one_database(tmp_path):
    """Processes that open and write the same file at once lose nothing."""
    path = tmp_path / "local.db"
    with Store(path) as store:
        instance = register(store)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(4)
    workers = [
        context.Process(target=write_in_process, args=(path, instance, n, ready)) for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Store(path) as store:
        assert store.get_instance(instance["id"]).span_counts.complete == 8 * SPANS_EACH


def test_processes_that_make_a_database_together_agree(tmp_path):
    """Threads with a store each, all making the same file at once, see one account."""
    path = tmp_path / "new" / "local.db"
    barrier = threading.Barrier(8)
    accounts = []

    def open_it():
        barrier.wait()
        with Store(path) as store:
            accounts.append(store.account_id)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accounts) == 8
    assert len(set(accounts)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_with_the_store(tmp_path):
    """A child writes through the store it inherited, and parent and child see each other's work."""
    with Store(tmp_path / "local.db") as store:
        instance = register(store)
        child = os.fork()
        if child == 0:
            try:
                write_spans(store, instance, "child")
                store.close()
                os._exit(0)
            finally:
                os._exit(1)
        write_spans(store, instance, "parent")
        assert os.waitpid(child, 0)[1] == 0
        assert store.get_instance(instance["id"]).span_counts.total == 4 * SPANS_EACH


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_outlives_its_parents_store(tmp_path):
    """What a child writes after its parent has closed the database is not lost."""
    path = tmp_path / "local.db"
    store = Store(path)
    instance = register(store)
    ready, closed = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            store.list_instances()
            os.write(ready[1], b"x")
            os.read(closed[0], 1)
            write_spans(store, instance, "child")
            # No `close`: a child may end in any way.
            os._exit(0)
        finally:
            os._exit(1)
    os.read(ready[0], 1)
    store.list_instances()
    store.close()
    os.write(closed[1], b"x")
    assert os.waitpid(child, 0)[1] == 0
    for end in (*ready, *closed):
        os.close(end)
    with Store(path) as store:
        assert store.get_instance(instance["id"]).span_counts.total == 2 * SPANS_EACH


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_threads_go_on_writing_through_forks(tmp_path):
    """Forks in the middle of other threads' work lose and break nothing."""
    with Store(tmp_path / "local.db") as store:
        instance = register(store)
        writers = [
            threading.Thread(target=write_spans, args=(store, instance, n)) for n in range(3)
        ]
        for writer in writers:
            writer.start()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                try:
                    store.list_instances()
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
        for writer in writers:
            writer.join()
        assert store.get_instance(instance["id"]).span_counts.total == 6 * SPANS_EACH


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_does_not_wait_for_a_lock(tmp_path):
    """A process forks while a thread waits for the database, whose write then happens once."""
    path = tmp_path / "local.db"
    with Store(path) as store:
        instance = register(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tries = threading.Semaphore(0)

        def begin(statement, begin=store._try_to_begin):
            try:
                return begin(statement)
            finally:
                tries.release()

        store._try_to_begin = begin
        body = {"items": [span_item(instance, "create-1")]}
        writer = threading.Thread(target=call, args=(store, "/bulk", body))
        writer.start()
        tries.acquire()
        child = os.fork()
        if child == 0:
            os._exit(0 if len(store.list_instances()) == 1 else 1)
        # The lock is still held: what comes after the fork came before the write.
        assert writer.is_alive()
        assert other.in_transaction
        assert os.waitpid(child, 0)[1] == 0
        other.close()
        writer.join()
        assert len(store.list_spans(instance["id"])) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_spans_are_read_while_others_write(tmp_path):
    """A reader sees one state throughout, and a writer in another connection does not wait."""
    path = tmp_path / "local.db"
    with Store(path) as writer, Store(path) as reader:
        instance = register(writer)
        with reader.reading() as db:
            count = "SELECT count(*) FROM agent_spans"
            assert db.execute(count).fetchone() == (0,)
            call(writer, "/bulk", {"items": [span_item(instance, "create-1")]})
            assert db.execute(count).fetchone() == (0,)
        assert len(reader.list_spans(instance["id"])) == 1
