"""The model that the product's JSON is written in."""

from __future__ import annotations

from pydantic import AliasGenerator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class CamelModel(BaseModel):
    """Frozen and closed; written in camelCase, read in camelCase and snake_case."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=AliasGenerator(alias=to_camel),
        populate_by_name=True,
    )
