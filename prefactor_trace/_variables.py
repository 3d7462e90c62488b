"""Variables of the environment that look like settings and are none.

A word that is misspelt there changes nothing, so nobody would learn of it but from a line that
says so.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Mapping

from prefactor_trace import _guard
from prefactor_trace._nearest import nearest
from prefactor_trace._settings import Settings

_PREFIX = "PREFACTOR_"
_OTHERS = frozenset({"PREFACTOR_CONTEXT", "PREFACTOR_SERVE_TOKEN"})
"""What else this library reads: the run that a process belongs to, the token of `serve`."""

# What Kubernetes sets in every container beside a service that is called `prefactor...`.
_FOREIGN = r"PREFACTOR_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)"


def find_unknown(environ: Mapping[str, str]) -> dict[str, str]:
    """Return each variable that is meant for this library and not known, with what to do about it.

    One that is empty counts as not set.
    """
    known = {field.metadata["variable"] for field in dataclasses.fields(Settings)} | _OTHERS
    found = [name for name in environ if name.startswith(_PREFIX) and name not in known]
    return {
        name: f"did you mean {meant}?" if (meant := _meant_by(name)) else "docs/settings.md has all"
        for name in sorted(found)
        if environ[name].strip() and not _is_foreign(name)
    }


def warn_of_unknown() -> None:
    """Log each variable of this process that is not known, once; never raise."""
    for name, todo in find_unknown(os.environ).items():
        _guard.log_once(
            logging.WARNING,
            f"unknown variable {name}",
            "prefactor_trace: the variable %s is no setting and changes nothing; %s",
            name,
            todo,
        )


def _meant_by(name: str) -> str | None:
    # Without what all have in common, which would make every one of them near.
    words: dict[str, str] = {}
    for field in dataclasses.fields(Settings):
        variable = field.metadata["variable"]
        if variable:
            words[field.name.upper()] = variable
            words[variable.removeprefix(_PREFIX)] = variable
    near = nearest(name.removeprefix(_PREFIX), words)
    return words[near] if near else None


def _is_foreign(name: str) -> bool:
    import re  # only where something is unknown

    return re.fullmatch(_FOREIGN, name) is not None
