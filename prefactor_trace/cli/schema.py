"""``prefactor-trace schema``: what an agent's code declares, and whether that has changed."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from prefactor_trace import Tracer
from prefactor_trace._default import default
from prefactor_trace._notes import UNDECLARED
from prefactor_trace._schema import Registry
from prefactor_trace.cli import columns
from prefactor_trace.cli.database import user_path
from prefactor_trace.cli.ending import DIFFERENT, DONE, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.schema_changes import Change, changes
from prefactor_trace.cli.terminal import Screen, one_line, write, write_json

_TITLES = ("TYPE", "MAY", "MUST NOT", "PAYLOAD HOLDS", "RESULT HOLDS", "CLASSIFICATION")
_HELD = ("params_data_categories", "result_data_categories")
_COLOURS = {"breaking": "red", "risk": "yellow", "compatible": "green"}


def schema(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print, write or check the schema version that a module declares."""
    version = _version_of(arguments.module)
    declares = _own_types(version) or version.get("quality_schemas")
    if not declares and (arguments.check or arguments.output):
        # Written and then checked, nothing would never change.
        raise CommandError(
            f"{arguments.module} declares nothing; name the module that imports the agent's code"
        )
    code = DONE
    if arguments.check:
        code = _check(arguments, version, out)
    elif arguments.output:
        text = json.dumps(version, indent=2, sort_keys=True) + "\n"
        user_path(arguments.output).write_text(text, encoding="utf-8")
        write(out, f"{version['external_identifier']} written to {arguments.output}")
    elif arguments.risk and not arguments.json:
        for line in _risk_table(version, Screen.of(out)):
            write(out, line)
    elif arguments.risk:
        write_json(out, {one["name"]: one.get("data_risk") for one in _own_types(version)})
    elif not arguments.strict:
        write_json(out, version)
    if arguments.strict:
        code = _complain_of_silence(version, out) or code
    return code


def _version_of(name: str) -> dict[str, Any]:
    """Return the schema version of what a module declares, as JSON.

    Raises:
        CommandError: There is no such module, it fails, or has no such tracer.
    """
    # What the module does at import is not to be recorded anywhere.
    os.environ["PREFACTOR_ENABLED"] = "0"
    place, _, attribute = name.partition(":")
    folder = Path.cwd()
    if place.endswith(".py"):
        path = user_path(place).resolve()
        if not path.is_file():
            raise CommandError(f"there is no {place}", MISUNDERSTOOD)
        folder, place = path.parent, path.stem
    sys.path.insert(0, str(folder))
    try:
        # What the module prints is not to stand in what this command prints.
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(place)
    except (Exception, SystemExit) as error:
        raise CommandError(f"cannot import {place}: {type(error).__name__}: {error}") from error
    registry = _registry_of(module, attribute)
    version, _names = registry.version()
    return version.model_dump(mode="json", by_alias=True, exclude_none=True)


def _registry_of(module: object, attribute: str) -> Registry:
    if not attribute:
        return default._registry
    tracer = getattr(module, attribute, None)
    if not isinstance(tracer, Tracer):
        raise CommandError(
            f"{attribute!r} of the module is no Tracer, but {type(tracer).__qualname__};"
            " leave it out for what the default tracer declares"
        )
    return tracer._registry


def _own_types(version: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in version["span_type_schemas"] if one["name"] != UNDECLARED]


def _check(arguments: argparse.Namespace, version: dict[str, Any], out: TextIO) -> int:
    before = _read(user_path(arguments.check))
    found = changes(before, version)
    if arguments.json:
        write_json(out, [change._asdict() for change in found])
    elif not found:
        write(out, f"nothing has changed: {version['external_identifier']}")
    else:
        screen = Screen.of(out)
        for change in found:
            write(out, _line(change, screen))
        kinds = [change.kind for change in found]
        parts = [f"{kinds.count(kind)} {kind}" for kind in _COLOURS if kind in kinds]
        write(
            out,
            f"{', '.join(parts)}; to accept: prefactor-trace schema"
            f" {arguments.module} -o {arguments.check}",
        )
    return DIFFERENT if found else DONE


def _line(change: Change, screen: Screen) -> str:
    mark = screen.paint(change.kind.ljust(10), _COLOURS[change.kind])
    return f"{mark}  {one_line(change.where)}: {one_line(change.what)}"


def _read(path: Path) -> dict[str, Any]:
    """Return a schema version that was written to a file.

    Raises:
        CommandError: It holds none.
    """
    try:
        version = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(f"there is no {path}; write it with -o {path}") from None
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}") from None
    if not isinstance(version, dict) or not isinstance(version.get("span_type_schemas"), list):
        raise CommandError(f"{path} holds no schema version; write it with -o {path}")
    return version


def _risk_table(version: Mapping[str, Any], screen: Screen) -> Iterator[str]:
    """Yield a line for each span type, for somebody who reviews what the agent may do."""
    rows = [_risk_row(one) for one in _own_types(version)]
    if not rows:
        yield "no span types are declared"
        return
    yield from columns.lines(
        _TITLES,
        rows,
        screen,
        give_way=("RESULT HOLDS", "PAYLOAD HOLDS"),
        colour=lambda title, row: "yellow" if title == "MAY" and row[1] == "not said" else "",
    )


def _risk_row(declared: Mapping[str, Any]) -> tuple[str, ...]:
    risk = declared.get("data_risk")
    if risk is None:
        return (one_line(declared["name"]), "not said", "", "", "", "")
    actions = risk["action_profile"]
    held = [{name for name, word in risk[part].items() if word == "included"} for part in _HELD]
    classifications = {risk[part]["classification"] for part in _HELD} - {"unknown"}
    return (
        one_line(declared["name"]),
        _joined(name for name, word in actions.items() if word == "allowed"),
        _joined(name for name, word in actions.items() if word == "disallowed"),
        *map(_joined, held),
        _joined(classifications),
    )


def _joined(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "-"


def _complain_of_silence(version: Mapping[str, Any], out: TextIO) -> int:
    silent = [one["name"] for one in _own_types(version) if one.get("data_risk") is None]
    for name in silent:
        write(out, f"no risk is stated of the span type {name!r}; give it risk=Risk(...)")
    return DIFFERENT if silent else DONE
