"""The OpenAPI 3.1 document, made from the table of operations and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import msgspec

from socp import __version__
from socp.server.http_api import bodies
from socp.server.http_api.bodies import Body
from socp.server.http_api.operations import OPERATIONS, Operation

PATH: Final = "/api/openapi.json"
PROOF_HEADER: Final = "SOCP-Proof"
_JSON: Final = "application/json"
_SCHEME: Final = "proof"
_REFUSALS: Final = {
    400: "No request this server can read",
    401: "Not proven, or not the password",
    403: "Not allowed here",
    404: "Nobody, or nothing, is known by this",
    408: "The request took too long to arrive",
    409: "The id is known with another key",
    413: "A body over the limit",
    415: "A body that is no application/json",
    422: "A body or parameter outside its schema",
    429: "Too many requests or login tries; `Retry-After` says how long to wait",
    503: "Cannot be stored or served now",
}


def statuses(operation: Operation) -> tuple[int, ...]:
    """Every refusal that an operation may answer with."""
    found = {429, 503, *operation.refusals}
    if operation.wants_proof:
        found |= {400, 401, 408, 413}
    if operation.body is not None:
        found |= {400, 408, 413, 415, 422}
    if operation.query is not None or operation.method == "GET":
        found |= {422}
    return tuple(sorted(found))


@cache
def document() -> bytes:
    """JSON text."""
    return msgspec.json.encode(_document(), order="sorted")


def _document() -> dict[str, Any]:
    schemas, components = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, schemas, components)
    used = {name: schema for name, schema in components.items() if name not in _queries()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SOCP chat server: directory and accounts",
            "version": __version__,
            "description": "Keys of users, registration, and login by password (OPAQUE).",
        },
        "paths": paths,
        "components": {
            "schemas": used,
            "securitySchemes": {
                _SCHEME: {
                    "type": "apiKey",
                    "in": "header",
                    "name": PROOF_HEADER,
                    "description": "server_nonce.salt.signature of this one request, each in"
                    " base64url: docs/protocol.md",
                }
            },
        },
    }


def _types() -> Iterator[type[Body]]:
    yield bodies.Fault
    for operation in OPERATIONS:
        yield from operation.replies.values()
        for kind in (operation.body, operation.query):
            if kind is not None:
                yield kind


def _queries() -> set[str]:
    return {each.query.__name__ for each in OPERATIONS if each.query is not None}


def _schemas() -> tuple[dict[type[Body], dict[str, Any]], dict[str, Any]]:
    kinds = tuple(dict.fromkeys(_types()))
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    return dict(zip(kinds, schemas, strict=True)), components


def _operation(
    operation: Operation, schemas: dict[type[Body], dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    responses = {
        str(status): _response(kind.__doc__ or "", schemas[kind])
        for status, kind in operation.replies.items()
    }
    for status in statuses(operation):
        responses[str(status)] = _response(_REFUSALS[status], schemas[bodies.Fault])
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": responses,
    }
    parameters = [*_path_parameters(operation), *_query_parameters(operation, components)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": schemas[operation.body]}},
        }
    if operation.wants_proof:
        described["security"] = [{_SCHEME: []}]
    return described


def _response(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {_JSON: {"schema": schema}}}


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if "{user_id}" in operation.path:
        schema = msgspec.json.schema(bodies.Id)
        yield {"name": "user_id", "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation, components: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if operation.query is not None:
        for name, schema in components[operation.query.__name__]["properties"].items():
            yield {"name": name, "in": "query", "required": False, "schema": schema}
