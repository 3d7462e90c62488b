"""An agent whose tools run on a Dask cluster: `propagate` takes the functions there.

python -m examples.on_dask
"""

from distributed import Client, LocalCluster

import prefactor_trace as prefactor
from examples.tools import look_up


@prefactor.instance("dask-agent")
def run(client: Client, queries: list[str]) -> list[str]:
    with prefactor.span("plan", {"queries": queries}):
        return client.gather(client.map(prefactor.propagate(look_up), queries, pure=False))


if __name__ == "__main__":
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        for found in run(client, ["parcel", "invoice", "refund"]):
            print(found)
        client.run(prefactor.flush)
