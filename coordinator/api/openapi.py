"""What the OpenAPI document says beside what each route says itself."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from coordinator.api.problems import Problem, documented

_NAMES: Final = {
    "asset_id": "The asset's id.",
    "batch_id": "The batch's id.",
    "composition_id": "The composition's id.",
    "delivery_id": "The delivery's id.",
    "export_id": "The export's id.",
    "key_id": "The key's id.",
    "link_id": "The link's id.",
    "name": "The style's name.",
    "preview_id": "The preview's id.",
    "template_id": "The template's id, or the name of a built-in one.",
    "webhook_id": "The webhook's id.",
}
"""What the parameters of paths are, where the route does not say more."""
_BYTES: Final = {"type": "string", "format": "binary"}


def install(app: FastAPI) -> None:
    """Have OpenAPI say what problems look like, also instead of FastAPI's own errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = generate()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for methods in schema["paths"].values():
            for operation in methods.values():
                _document(operation)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _document(operation: dict[str, Any]) -> None:
    """Have an operation say what no route says: problems that all may answer, and bytes."""
    in_path = [each for each in operation.get("parameters", []) if each["in"] == "path"]
    for parameter in in_path:
        if parameter["name"] in _NAMES:
            parameter.setdefault("description", _NAMES[parameter["name"]])
    everywhere: list[int] = []
    if in_path:
        everywhere += (404,)
    if "security" in operation:
        everywhere += (401, 429, 503)
    if "requestBody" in operation:
        everywhere += (400, 408, 413, 415, 422)
    responses = operation["responses"]
    for status, described in documented(*everywhere).items():
        responses.setdefault(str(status), described)
    for response in responses.values():
        for content in response.get("content", {}).values():
            if not content:
                content["schema"] = dict(_BYTES)
