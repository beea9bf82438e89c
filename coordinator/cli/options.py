"""Command-line options that come in bundles, so that each is described once."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic_settings import BaseSettings

from coordinator.settings import is_secret, option_name, read_settings, variable_name

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def with_settings(model: type[BaseSettings], *, leave_out: Collection[str] = ()) -> Decorator:
    """Give a command one option for each field; it is called with ``settings``.

    Args:
        model: The settings that it takes.
        leave_out: Fields that do not matter to it.
    """
    fields = [name for name in model.model_fields if name not in leave_out]
    return _with_options(
        "settings",
        [_option(model, name) for name in fields],
        lambda given: read_settings(model, given),
    )


def with_bundle(bundle: type[DataclassInstance], name: str) -> Decorator:
    """Give a command one option for each field; it is called with them in one argument.

    Args:
        bundle: A dataclass whose fields all have defaults, and are annotated as options are.
        name: The argument's name.
    """
    hints = typing.get_type_hints(bundle, include_extras=True)
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(bundle)
    ]
    return _with_options(name, options, lambda given: bundle(**given))


def _with_options(
    name: str, options: Sequence[inspect.Parameter], gather: Callable[[dict[str, Any]], Any]
) -> Decorator:
    """Give a command options in place of one argument, which is made of them."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[each], kind=inspect.Parameter.KEYWORD_ONLY)
            for each, parameter in inspect.signature(command).parameters.items()
            if each != name
        ]

        @functools.wraps(command)
        def told(**arguments: Any) -> None:
            given = {option.name: arguments.pop(option.name) for option in options}
            command(**{name: gather(given)}, **arguments)

        parameters = [*own, *options]
        told.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        told.__annotations__ = {each.name: each.annotation for each in parameters}
        return told

    return decorate


def _option(model: type[BaseSettings], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    told = f"{field.description} {variable_name(name)} sets it too"
    default = field.get_default(call_default_factory=True)
    if default is not None and not is_secret(model, name):
        told += f"; {default} without either"
    option = typer.Option(
        option_name(name),
        metavar=_metavar(field.annotation),
        help=f"{told}.",
        show_default=False,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


def _metavar(annotation: Any) -> str:
    if typing.get_origin(annotation) is Literal:
        return "|".join(typing.get_args(annotation))
    if isinstance(annotation, types.UnionType):
        annotation = typing.get_args(annotation)[0]
    names: dict[Any, str] = {int: "N", float: "N", Path: "FOLDER"}
    return names.get(annotation, "TEXT")
