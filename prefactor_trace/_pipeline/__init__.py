"""Off the agent's thread: from the buffer to the answer of the service."""

from prefactor_trace._pipeline.buffer import Buffer
from prefactor_trace._pipeline.held import HeldBuffer
from prefactor_trace._pipeline.pipeline import Pipeline

__all__ = ["Buffer", "HeldBuffer", "Pipeline"]
