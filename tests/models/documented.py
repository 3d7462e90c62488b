"""Reads the document of the wire models, and tells how a module of ours differs from it."""

import ast
import inspect
import re
import types
import typing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

DOCUMENT = (Path(__file__).parent / "seed" / "prefactor_http_models.md").read_text(encoding="utf-8")

WIDENINGS = {
    # The platform can end a run, which the document did not know yet.
    "AgentInstance.status also takes 'terminated'": "a status of today's service",
    "AgentSpan.status also takes 'terminated'": "a status of today's service",
    "AgentInstanceSpanCounts.pending is optional": "today's answers leave it out",
    # What an instance says when it registers.
    "RegisterAgentInstanceRequest.environment_id is not documented": "account tokens need it",
    "RegisterAgentInstanceRequest.external_identifier is not documented": "the client's own name",
    "RegisterAgentInstanceRequest.purpose is not documented": "live, smoke_test or eval",
    "AgentVersionForRegister.runtime_environment is not documented": "what the agent runs on",
    "AgentSchemaVersionForRegister.quality_schemas is not documented": "record_quality needs them",
    "QualitySchemaForCreate is not documented": "one of quality_schemas",
    "RuntimeEnvironment is not documented": "the value of runtime_environment",
    "AgentInstanceRecordQuality is not documented": "body of record_quality",
    # What the service answers on an instance.
    "AgentInstance.agent_deployment_id is not documented": "a field of today's answers",
    "AgentInstance.termination_reason is not documented": "a field of today's answers",
    "AgentInstance.external_identifier is not documented": "a field of today's answers",
    "AgentInstance.purpose is not documented": "a field of today's answers",
    "AgentInstance.quality_payloads is not documented": "a field of today's answers",
    "AgentInstance.quality_summaries is not documented": "a field of today's answers",
    # Spans.
    "CreateAgentSpanRequest.sensitive_encoding is not documented": "keeps marked values apart",
    "FinishSpanRequest.sensitive_encoding is not documented": "keeps marked values apart",
    "AgentSpan.schema_validation is not documented": "a field of today's answers",
    "ControlSignal is not documented": "the `control` of an answer on a span",
}
"""Every difference from the document that is meant, with its reason. No other is allowed."""

MISREAD_TYPES = {("BulkOutput", "status"): "Status of the operation"}
"""Where the document's generator took a sentence for a type."""

STRAIGHT = {ord("\N{LEFT SINGLE QUOTATION MARK}"): "'", ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'"}


@dataclass
class DocumentedClass:
    """What the document says of one class."""

    bases: list[str] = field(default_factory=list)
    signature: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    # Each field's type as the class body states it, and as its description states it.
    attributes: dict[str, str] = field(default_factory=dict)
    described: dict[str, str] = field(default_factory=dict)
    validators: dict[str, str] = field(default_factory=dict)


def plain(text: str) -> str:
    """Return Python source for a type or a signature that the document marks up."""
    text = re.sub(r"\[(\w+)\]\([^)]*\)", r"\1", text).replace("\\", "")
    text = re.sub(r"~?\b(typing|datetime|prefactor_http\.models\.\w+)\.(?=\w)", "", text)
    return text.translate(STRAIGHT).replace("<factory>", "FACTORY")


def read_classes(document: str) -> dict[str, DocumentedClass]:
    """Return every class that has a chapter of its own."""
    body = document.partition("\n## Submodules")[0]
    return {
        match[1]: read_class(plain(match[2]), match[3])
        for match in re.finditer(
            r"^### \*class\* prefactor_http\.models\.(\w+)\(([^\n]*)\)$(.*?)(?=^### |\Z)",
            body,
            re.MULTILINE | re.DOTALL,
        )
    }


def read_class(signature: str, chapter: str) -> DocumentedClass:
    """Return what the chapter of one class says."""
    documented = DocumentedClass(signature=signature)
    bases = re.search(r"^Bases: (.*)$", chapter, re.MULTILINE)
    documented.bases = re.findall(r"`(\w+)`", bases[1] if bases else "")
    for section in re.split(r"^#### ", chapter, flags=re.MULTILINE)[1:]:
        head, _, text = section.partition("\n")
        if match := re.fullmatch(r"\*classmethod\* (\w+)(\(.*\)) → (.*)", head):
            documented.validators[match[1]] = plain(f"{match[2]} -> {match[3]}")
        elif match := re.fullmatch(r"(\w+) \*= (.*)\*", head):
            documented.config = ast.literal_eval(match[2])
        elif match := re.fullmatch(r"(\w+) \*: (.*)\*", head):
            documented.attributes[match[1]] = plain(match[2])
        name = head.split()[0]
        if match := re.search(r"\* \*\*Type:\*\*\n  (.*)", text):
            documented.described[name] = plain(match[1])
    return documented


def read_index(document: str) -> dict[str, dict[str, set[str]]]:
    """Return module to class to members, from the list of submodules."""
    index: dict[str, dict[str, set[str]]] = {}
    for line in document.partition("\n## Submodules")[2].splitlines():
        if match := re.match(r"\* \[prefactor_http\.models\.(\w+) module\]", line):
            module = index.setdefault(match[1], {})
        elif match := re.match(r"  \* \[`(\w+)`\]", line):
            module[match[1]] = set()
        elif match := re.match(r"    \* \[`(\w+)\.(\w+)(?:\(\))?`\]", line):
            module[match[1]].add(match[2])
    return index


CLASSES = read_classes(DOCUMENT)
INDEX = read_index(DOCUMENT)


def shape(annotation: Any) -> Any:
    """Return a type in a form that compares equal however it was written."""
    if annotation is dict:  # a JSON object, whichever way it is spelt
        annotation = dict[str, Any]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return ("annotated", shape(parts[0]), frozenset(parts[1:]))
    if origin in (typing.Union, types.UnionType):
        return ("union", frozenset(shape(part) for part in parts))
    if origin is Literal:
        return ("literal", frozenset(parts))
    return (origin, tuple(shape(part) for part in parts)) if origin else annotation


def models_of(module: types.ModuleType) -> dict[str, type[BaseModel]]:
    """Return the models that a module defines itself."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == module.__name__
    }


def own_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields that a model does not inherit."""
    inherited = {
        name
        for base in model.__mro__[1:]
        if issubclass(base, BaseModel)
        for name in base.model_fields
    }
    return {name: info for name, info in model.model_fields.items() if name not in inherited}


def differences(module: types.ModuleType) -> set[str]:
    """Return a sentence for each thing in which a module is not as the document says."""
    documented, ours = INDEX[module.__name__.rpartition(".")[2]], models_of(module)
    found = {f"{name} is missing" for name in documented.keys() - ours.keys()}
    found |= {f"{name} is not documented" for name in ours.keys() - documented.keys()}
    names = {**vars(module), "Literal": Literal, "Annotated": Annotated, "Any": Any}
    names |= {"MinLen": MinLen, "MaxLen": MaxLen, "datetime": datetime, "FACTORY": dict}
    for name in documented.keys() & ours.keys():
        found |= member_differences(name, ours[name], documented[name])
        if name in CLASSES:
            found |= class_differences(name, ours[name], CLASSES[name], names)
            found |= signature_differences(name, ours[name], CLASSES[name].signature, names)
    return found


def member_differences(name: str, model: type[BaseModel], members: set[str]) -> set[str]:
    """Compare the members that the index names with those of `model`."""
    fields = own_fields(model)
    validators = set(model.__pydantic_decorators__.field_validators)
    actual = fields.keys() | validators | {"model_config"}
    extra = fields.keys() - members
    return (
        {f"{name}.{member} is missing" for member in members - actual}
        | {f"{name}.{member} is not documented" for member in actual - members}
        | {
            f"{name}.{member} is required of all"
            for member in extra
            if fields[member].is_required()
        }
    )


def class_differences(
    name: str, model: type[BaseModel], documented: DocumentedClass, names: dict[str, Any]
) -> set[str]:
    """Compare bases, configuration, validators and the types of the class body."""
    found = set()
    if {base.__name__ for base in model.__bases__} != set(documented.bases) - {"T"}:
        found.add(f"{name} has other bases than {documented.bases}")
    if dict(model.model_config) != documented.config:
        found.add(f"{name}.model_config is not {documented.config}")
    for validator, signature in documented.validators.items():
        ours = str(inspect.signature(getattr(model, validator)))
        if re.sub(r"\b[\w.]+\.(?=\w)", "", ours) != signature:
            found.add(f"{name}.{validator} takes {ours}, documented {signature}")
    for source in (documented.attributes, documented.described):
        for attribute, text in source.items():
            if MISREAD_TYPES.get((name, attribute)) == text or attribute not in model.model_fields:
                continue
            said, ours = eval(text, names), model.model_fields[attribute].annotation
            found |= type_difference(f"{name}.{attribute}", shape(ours), shape(said))
    return found


def signature_differences(
    name: str, model: type[BaseModel], signature: str, names: dict[str, Any]
) -> set[str]:
    """Compare the parameters of the documented signature with the fields of `model`."""
    code = f"def f(*, {signature.removeprefix('*').removeprefix(', ')}): ..."
    exec(code, scope := dict(names))
    parameters = dict(inspect.signature(scope["f"]).parameters)
    takes_more = parameters.pop("extra_data", None) is not None
    fields = {info.alias or field: (field, info) for field, info in model.model_fields.items()}
    found = {f"{name} takes no {parameter}" for parameter in parameters.keys() - fields.keys()}
    if takes_more != (model.model_config.get("extra") == "allow"):
        found.add(f"{name} keeps unknown fields, or should")
    for parameter in parameters.keys() & fields.keys():
        said, (attribute, info) = parameters[parameter], fields[parameter]
        label = f"{name}.{attribute}"
        annotation = info.annotation
        if info.metadata:
            annotation = Annotated[(annotation, *info.metadata)]
        found |= type_difference(label, shape(annotation), shape(said.annotation))
        found |= default_difference(label, info, said.default)
    return found


def type_difference(label: str, ours: Any, said: Any) -> set[str]:
    """Return how one type differs; more words in a literal are told apart from all else."""
    if ours == said:
        return set()
    literals = isinstance(ours, tuple) and isinstance(said, tuple) and ours[0] == said[0]
    if literals and ours[0] == "literal" and ours[1] > said[1]:
        more = ", ".join(map(repr, sorted(ours[1] - said[1])))
        return {f"{label} also takes {more}"}
    return {f"{label} is {ours}, documented {said}"}


def default_difference(label: str, info: FieldInfo, said: Any) -> set[str]:
    """Return how the default, or its absence, differs."""
    if said is inspect.Parameter.empty:
        return set() if info.is_required() else {f"{label} is optional"}
    if info.is_required():
        return {f"{label} is required, documented with default {said!r}"}
    if said is dict:
        return set() if info.default_factory is dict else {f"{label} has no factory of {{}}"}
    return set() if info.default == said else {f"{label} defaults to {info.default!r}"}


def meant(module: types.ModuleType) -> set[str]:
    """Return the widenings that concern the models of a module."""
    return {
        difference
        for difference in WIDENINGS
        if re.match(r"\w+", difference)[0] in models_of(module)
    }
