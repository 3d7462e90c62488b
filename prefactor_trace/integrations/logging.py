"""Log records that say in which span and which run they were written."""

from __future__ import annotations

import logging

from prefactor_trace import current_instance, current_span

__all__ = ["SpanLogFilter"]


class SpanLogFilter(logging.Filter):
    """A filter that lets every record pass and adds two fields to it.

    These are `prefactor_span_id` and `prefactor_instance_id`, each empty where there is none. Put
    it on a handler: a logger's filter does not see the records of the loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields to a record, and let it pass."""
        try:
            span, instance = current_span(), current_instance()
            record.prefactor_span_id = "" if span is None else span.id
            record.prefactor_instance_id = "" if instance is None else instance.id
        except Exception:  # noqa: BLE001  # a fault of ours, logged here, would come here again
            record.prefactor_span_id = record.prefactor_instance_id = ""
        return True
