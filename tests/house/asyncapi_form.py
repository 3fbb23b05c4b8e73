"""The form of an AsyncAPI 3 document, as far as ours uses it: a JSON Schema of our own, stricter
than the published one in that a member it does not know is refused."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
NAME = "^[A-Za-z0-9_\\-]+$"


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these members and, as AsyncAPI allows everywhere, `x-` ones."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "patternProperties": {"^x-[\\w\\-]+$": {}},
        "additionalProperties": False,
    }


def table(of: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "patternProperties": {NAME: of},
        "additionalProperties": False,
        "minProperties": 1,
    }


def reference(to: str) -> dict[str, Any]:
    return record({"$ref": {"type": "string", "pattern": f"^#/{to}/[\\w\\-]+$"}})


SERVER = record({"host": TEXT, "protocol": {"enum": ["ws", "wss"]}}, {"description": TEXT})
CHANNEL = record(
    {"address": TEXT, "messages": table(reference("components/messages"))}, {"description": TEXT}
)
OPERATION = record(
    {
        "action": {"enum": ["send", "receive"]},
        "channel": reference("channels"),
        "messages": {
            "type": "array",
            "items": reference("channels/[\\w\\-]+/messages"),
            "minItems": 1,
            "uniqueItems": True,
        },
    },
    {"summary": TEXT},
)
MESSAGE = record(
    {"name": TEXT, "payload": {"type": "object"}},
    {
        "title": TEXT,
        "summary": TEXT,
        "description": TEXT,
        "examples": {"type": "array", "items": record({"payload": {"type": "object"}})},
    },
)
DOCUMENT = record(
    {
        "asyncapi": {"const": "3.0.0"},
        "info": record(
            {"title": TEXT, "version": TEXT},
            {"description": TEXT, "license": record({"name": TEXT})},
        ),
        "channels": table(CHANNEL),
        "operations": table(OPERATION),
        "components": record(
            {"messages": table(MESSAGE), "schemas": table({"type": ["object", "boolean"]})}
        ),
    },
    {"defaultContentType": {"const": "application/json"}, "servers": table(SERVER)},
)
