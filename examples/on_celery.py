"""An agent whose tools are Celery tasks: what the workers do lands in the agent's own run.

    celery -A examples.on_celery worker --concurrency 2      # in one terminal
    python -m examples.on_celery                             # in another

Both take the broker of ``CELERY_BROKER_URL`` (default: a local Redis), and both need the same
``PREFACTOR_*`` variables, or ``PREFACTOR_LOCAL=1``.
"""

import os

from celery import Celery, Task

import prefactor_trace as prefactor
from examples.tools import look_up

app = Celery("on_celery", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost"))
app.conf.broker_connection_retry_on_startup = True
if folder := os.environ.get("CELERY_FOLDER"):  # of a broker without a server
    app.conf.broker_url = "filesystem://"
    folders = dict.fromkeys(("data_folder_in", "data_folder_out", "control_folder"), folder)
    app.conf.broker_transport_options = folders


@app.task(bind=True, name="search")
def search(self: Task, query: str) -> None:
    with prefactor.attach(self.request.headers):
        look_up(query)


@prefactor.instance("celery-agent")
def run(queries: list[str]) -> None:
    with prefactor.span("plan", {"queries": queries}):
        for query in queries:
            search.apply_async((query,), headers=prefactor.inject({}))


if __name__ == "__main__":
    run(["parcel", "invoice", "refund"])
