"""The schemas of a decorated function: of its arguments, and of what it returns.

Nothing of it is done before an instance registers: annotations may name what is defined later.
"""

from __future__ import annotations

import collections.abc
import contextlib
import inspect
import types
import typing
from typing import Any, NamedTuple

Missing = inspect.Parameter.empty
_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)
_AWAITED = (collections.abc.Awaitable, collections.abc.Coroutine)
_NO_VALUE = (typing.NoReturn, getattr(typing, "Never", typing.NoReturn))


class FunctionSchemas(NamedTuple):
    """What a function's signature says of its spans.

    Attributes:
        name: Its qualified name.
        params: JSON schema of the payload.
        result: JSON schema of the result, ``None`` where nothing is known of it.
        description: First line of its docstring.
    """

    name: str
    params: dict[str, Any]
    result: dict[str, Any] | None
    description: str | None


class Captures(NamedTuple):
    """What is recorded of the calls of decorated functions.

    Attributes:
        inputs: Whether arguments are.
        outputs: Whether what is returned is.
    """

    inputs: bool = True
    outputs: bool = True


class Function:
    """A decorated function, whose schemas are made when they are first asked for.

    Args:
        function: What was decorated.
        ignored: Names of arguments that are not recorded.
        records_input: Whether its arguments are recorded; ``None`` where a setting decides.
        records_output: The same of what it returns.
    """

    def __init__(
        self,
        function: Any,
        ignored: tuple[str, ...] = (),
        *,
        records_input: bool | None = None,
        records_output: bool | None = None,
    ) -> None:
        self._function = inspect.unwrap(getattr(function, "__func__", function))
        self._ignored = ignored
        self._records = records_input, records_output
        self._schemas: dict[Captures, FunctionSchemas] = {}

    @property
    def name(self) -> str:
        """Its qualified name."""
        return str(getattr(self._function, "__qualname__", type(self._function).__qualname__))

    @property
    def place(self) -> tuple[str, str]:
        """Its name and its module, which tell it from other functions."""
        return self.name, str(getattr(self._function, "__module__", ""))

    @property
    def parameters(self) -> frozenset[str] | None:
        """Names of the arguments that are recorded; ``None`` where there may be any."""
        try:
            found = inspect.signature(self._function).parameters.values()
        except (TypeError, ValueError):
            return None
        if any(one.kind is one.VAR_KEYWORD for one in found):
            return None
        return frozenset(one.name for one in found) - set(self._ignored)

    @property
    def return_type(self) -> Any:
        """What it is annotated to return, of a generator a list; ``None`` where nothing is said."""
        try:
            hints = _hints_of(self._function, inspect.signature(self._function))
        except (TypeError, ValueError):  # a builtin that does not say
            return None
        found = _recorded_type(hints.get("return", Missing))
        return None if found is Missing else found

    def result_by_now(self) -> dict[str, Any] | None:
        """Return the schema of its result as far as it is known by now, which is not kept.

        What the annotation names may be defined later.
        """
        return Function(self._function, self._ignored).schemas().result

    def schemas(self, captures: Captures = Captures()) -> FunctionSchemas:  # noqa: B008  # immutable
        """Return its schemas; what cannot be found out allows everything.

        Args:
            captures: What is recorded where the function itself does not say.
        """
        said = zip(self._records, captures, strict=True)
        captures = Captures(*(setting if own is None else own for own, setting in said))
        if captures not in self._schemas:
            from prefactor_trace import _guard

            try:
                self._schemas[captures] = self._infer(captures)
            except Exception as error:  # noqa: BLE001  # any object can be decorated
                _guard.log_fault(f"making the schemas of {self.name}", error)
                nothing = FunctionSchemas(self.name, {"type": "object"}, None, None)
                self._schemas[captures] = nothing
        return self._schemas[captures]

    def _infer(self, captures: Captures) -> FunctionSchemas:
        # Not with the library: loads pydantic.
        from prefactor_trace._schema.json_schema import as_result, schemas_of, with_definitions

        description = _first_line(self._function)
        try:
            signature = inspect.signature(self._function)
        except (TypeError, ValueError):  # a builtin that does not say
            return FunctionSchemas(self.name, {"type": "object"}, None, description)
        hints = _hints_of(self._function, signature)
        parameters = [one for one in self._recorded(signature) if captures.inputs]
        wanted = {f"p {one.name}": _value_of(one, hints) for one in parameters}
        returned = _recorded_type(hints.get("return", Missing)) if captures.outputs else Missing
        wanted["return"] = returned
        known = {name: hint for name, hint in wanted.items() if hint is not Missing}
        schemas, definitions = schemas_of(known, by_alias=False)
        params: dict[str, Any] = {"type": "object"}
        properties = {}
        for one in parameters:
            schema = schemas.get(f"p {one.name}", {})
            if one.kind is one.VAR_KEYWORD:
                params["additionalProperties"] = schema or True
                if schema and _may_clash(parameters):
                    whole = {"type": "object", "additionalProperties": schema}
                    properties[one.name] = {"anyOf": [schema, whole]}
            else:
                properties[one.name] = _property(one, schema)
        if properties:
            params["properties"] = properties
        if required := [one.name for one in parameters if self._is_required(one)]:
            params["required"] = required
        result = as_result(schemas["return"], definitions) if "return" in schemas else None
        return FunctionSchemas(
            self.name,
            with_definitions(params, definitions),
            with_definitions(result, definitions) if result else None,
            description,
        )

    def _recorded(self, signature: inspect.Signature) -> list[inspect.Parameter]:
        parameters = list(signature.parameters.values())
        if parameters and parameters[0].name in ("self", "cls"):
            del parameters[0]
        return [one for one in parameters if one.name not in self._ignored]

    def _is_required(self, parameter: inspect.Parameter) -> bool:
        """Return whether every call's payload has it. A method's object may be called anything."""
        if parameter.default is not Missing or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            return False
        owner = self.name.rpartition(".")[0]
        is_in_class = bool(owner) and not owner.endswith("<locals>")
        return not is_in_class or parameter.annotation is not Missing


def _property(parameter: inspect.Parameter, schema: dict[str, Any]) -> dict[str, Any]:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return {"type": "array", **({"items": schema} if schema else {})}
    if parameter.default is None and schema and not _takes_null(schema):
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _may_clash(parameters: list[inspect.Parameter]) -> bool:
    """Return whether a name that the mapping takes can be that of another argument.

    Then all that it took stands under its own name; see `Arguments.to_payload`.
    """
    return any(one.kind in (one.POSITIONAL_ONLY, one.VAR_POSITIONAL) for one in parameters)


def _takes_null(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(not part or _takes_null(part) for part in schema["anyOf"])
    return schema.get("type") == "null"


def _value_of(parameter: inspect.Parameter, hints: dict[str, Any]) -> Any:
    hint = hints.get(parameter.name, Missing)
    if hint is not Missing and parameter.kind is parameter.VAR_KEYWORD:
        # `**options: Unpack[Options]` names each of them, which one schema for all cannot.
        return Missing if "Unpack" in repr(hint) else hint
    return hint


def _recorded_type(hint: Any) -> Any:
    """Return the type of what is recorded of a function's result."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _NO_VALUE:
        return Missing
    if origin in _AWAITED and arguments:
        return _recorded_type(arguments[-1])
    if origin in _STREAMS and arguments:
        return list[arguments[0]]  # type: ignore[valid-type]
    return hint


def _hints_of(function: Any, signature: inspect.Signature) -> dict[str, Any]:
    """Return the annotations that can be resolved, each by itself."""
    # Evaluating an annotation can raise anything.
    with contextlib.suppress(Exception):
        return typing.get_type_hints(function, include_extras=True)
    said = {one.name: one.annotation for one in signature.parameters.values()}
    said["return"] = signature.return_annotation
    names = getattr(function, "__globals__", {})
    found = {}
    for name, annotation in said.items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            found.update(typing.get_type_hints(holder, names, include_extras=True))
        except Exception:  # noqa: BLE001, S112
            continue
    return {name: hint for name, hint in found.items() if hint is not Missing}


def _first_line(function: Any) -> str | None:
    doc = getattr(function, "__doc__", None)
    if not isinstance(doc, str) or not isinstance(
        function, (types.FunctionType, types.BuiltinFunctionType)
    ):
        return None  # an object's is that of its class
    lines = [line.strip() for line in inspect.cleandoc(doc).splitlines()]
    return next((line for line in lines if line), None)
