"""The embedded Prefactor: the service's rules over a SQLite file, in process or over HTTP."""

from prefactor_trace.server._paths import default_database_path
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server.api import Api, Response
from prefactor_trace.server.app import Server
from prefactor_trace.server.store import Store

__all__ = ["Api", "InstanceSummary", "Response", "Server", "Store", "default_database_path"]
