"""The closed sets of words that the Prefactor API uses."""

from typing import Literal

AgentStatus = Literal["pending", "active", "complete", "failed", "cancelled", "terminated"]
"""Status of an instance or a span. ``terminated`` is set by the platform alone."""

FinishStatus = Literal["complete", "failed", "cancelled"]
"""Status that a client may finish an instance or a span with."""

InstancePurpose = Literal["live", "smoke_test", "eval"]
"""Why an instance ran."""
