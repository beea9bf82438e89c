"""Command-line options that are made from settings, so that each is described once."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic_settings import BaseSettings

from coordinator.settings import is_secret, option_name, read_settings, variable_name


def with_settings(
    model: type[BaseSettings], *, leave_out: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option for each field; it is called with ``settings``.

    Args:
        model: The settings that it takes.
        leave_out: Fields that do not matter to it.
    """
    fields = [name for name in model.model_fields if name not in leave_out]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(command).parameters.items()
            if name != "settings"
        ]
        options = [_option(model, name) for name in fields]

        @functools.wraps(command)
        def told(**arguments: Any) -> None:
            given = {name: arguments.pop(name) for name in fields}
            command(settings=read_settings(model, given), **arguments)

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
