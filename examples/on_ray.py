"""An agent whose tools are Ray tasks: `inject` and `attach` take the run to the workers.

python -m examples.on_ray
"""

import ray

import prefactor_trace as prefactor
from examples.tools import look_up


@ray.remote
@prefactor.flushed
def search(headers: dict[str, str], query: str) -> str:
    with prefactor.attach(headers):
        return look_up(query)


@prefactor.instance("ray-agent")
def run(queries: list[str]) -> list[str]:
    with prefactor.span("plan", {"queries": queries}):
        headers = prefactor.inject({})
        return ray.get([search.remote(headers, query) for query in queries])


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    for found in run(["parcel", "invoice", "refund"]):
        print(found)
