"""The description of the API (OpenAPI 3.1), made from the table of endpoints: nothing in it is written by hand."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from gateway import __version__
from gateway.desk.web.asking import COOKIE, HEADER
from gateway.desk.web.endpoints import Endpoint
from gateway.desk.web.refusals import Told

_REFUSED: Final = ("400", "401", "403", "404", "408", "409", "413", "415", "429", "503", "507")
_WITH_QUERY: Final = ("GET", "DELETE")


def description(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document."""
    types = [each for endpoint in endpoints for each in (endpoint.takes, endpoint.gives) if each is not None]
    types.append(Told)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip([id(each) for each in types], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "compound-gateway duty desk", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"phone": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def _operation(
    endpoint: Endpoint, schema_of: dict[int, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", endpoint.path)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    content = (
        {} if endpoint.gives is None else {"application/json": {"schema": schema_of[id(endpoint.gives)]}}
    )
    operation: dict[str, Any] = {
        "summary": endpoint.tells,
        "operationId": f"{endpoint.method.lower()}_{re.sub(r'[^a-z]+', '_', endpoint.path).strip('_')}",
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", **({"content": content} if content else {})},
            **{status: _refusal(schema_of) for status in _REFUSED},
        },
    }
    if endpoint.action is not None:
        operation["security"] = [{"phone": []}]
        operation["x-action"] = str(endpoint.action)
    if endpoint.method not in {"GET", "HEAD"} and endpoint.action is not None:
        parameters.append({"name": HEADER, "in": "header", "required": True, "schema": {"type": "string"}})
    if endpoint.takes is not None and not endpoint.raw:
        _take(operation, endpoint, schema_of[id(endpoint.takes)], components)
    return operation


def _take(
    operation: dict[str, Any], endpoint: Endpoint, schema: dict[str, Any], components: dict[str, Any]
) -> None:
    """Write down what an endpoint takes, in its query or its body."""
    if endpoint.method not in _WITH_QUERY:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        return
    whole = components[schema["$ref"].rpartition("/")[2]]
    operation["parameters"] += [
        {"name": name, "in": "query", "required": name in whole.get("required", ()), "schema": of}
        for name, of in whole["properties"].items()
    ]


def _refusal(schema_of: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {"description": "refused", "content": {"application/json": {"schema": schema_of[id(Told)]}}}
