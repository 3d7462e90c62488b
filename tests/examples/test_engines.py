"""An agent that outgrows one machine: tasks of Celery, Dask and Ray land in the caller's run."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prefactor_trace.server import Store

ROOT = Path(__file__).parent.parent.parent
QUERIES = ["invoice", "parcel", "refund"]
_LONGEST = 60.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What the processes of an example share: a database, and a broker that is a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    (tmp_path / "broker").mkdir()
    return kept | {
        "PREFACTOR_LOCAL": "1",
        "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db"),
        "CELERY_FOLDER": str(tmp_path / "broker"),
        "PYTHONPATH": str(ROOT),
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }


def check_run(database: Path) -> None:
    """Wait until the one run is whole: each tool under the span that asked for it."""
    deadline = time.monotonic() + _LONGEST
    while True:
        found = _tools_of(database)
        if sorted(query for query, _process in found) == QUERIES:
            assert {process for _query, process in found}.isdisjoint({str(os.getpid())})
            return
        assert time.monotonic() < deadline, f"the run has only {found}"
        time.sleep(0.05)  # for another process there is nothing else to wait on


def _tools_of(database: Path) -> list[tuple[str, str]]:
    if not database.exists():
        return []
    with Store(database) as store:
        instances = store.list_instances()
        if not instances:
            return []
        (instance,) = instances
        spans = store.list_spans(instance.id)
    plans = [span.id for span in spans if span.schema_name == "plan"]
    return [
        (span.payload["query"], str(span.result_payload).rpartition(" ")[2])
        for span in spans
        if span.schema_name == "tool_call"
        and span.status == "complete"
        and span.parent_span_id in plans
    ]


def example(name: str, environ: dict[str, str]) -> None:
    """Run an example to its end."""
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{name}"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def needs(library: str) -> pytest.MarkDecorator:
    """Skip what needs a library that is not there."""
    missing = importlib.util.find_spec(library) is None
    return pytest.mark.skipif(missing, reason=f"not installed: {library}")


@contextmanager
def celery_worker(environ: dict[str, str], folder: Path) -> Iterator[None]:
    """Keep a worker with two processes, and end it as a supervisor would."""
    words = "-A examples.on_celery worker --concurrency 2 --loglevel INFO --without-gossip"
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *words.split(), "--without-mingle"],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(_LONGEST)
            finally:
                worker.kill()


@needs("celery")
def test_tasks_of_a_celery_worker_land_under_the_span_that_sent_them(
    environ: dict[str, str], tmp_path: Path
):
    """The worker forks its processes; the headers of the message carry the run."""
    with celery_worker(environ, tmp_path):
        example("on_celery", environ)
        check_run(tmp_path / "local.db")


@needs("celery")
def test_what_a_celery_worker_did_last_arrives_when_it_is_stopped(
    environ: dict[str, str], tmp_path: Path
):
    """Its processes leave by `os._exit`, and none of them delivers before that."""
    with celery_worker(environ | {"PREFACTOR_FLUSH_INTERVAL": "600"}, tmp_path):
        example("on_celery", environ)
        deadline = time.monotonic() + _LONGEST
        while (tmp_path / "worker.log").read_text().count(" succeeded in ") < len(QUERIES):
            assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()
            time.sleep(0.05)  # for another process there is nothing else to wait on
    check_run(tmp_path / "local.db")


@needs("distributed")
def test_functions_on_a_dask_cluster_land_under_the_span_that_sent_them(
    environ: dict[str, str], tmp_path: Path
):
    """They are pickled, and called in processes that know nothing of the run."""
    example("on_dask", environ)
    check_run(tmp_path / "local.db")


@needs("ray")
def test_tasks_of_ray_land_under_the_span_that_sent_them(environ: dict[str, str], tmp_path: Path):
    """Its workers are ended without warning: what they did was delivered before."""
    example("on_ray", environ)
    check_run(tmp_path / "local.db")
