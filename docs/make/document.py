"""docs/asyncapi.json, for programs: AsyncAPI 3 with JSON Schemas."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import UnsetType

from docs.make.frames import (
    BETWEEN,
    TO_SERVER,
    TO_USER,
    Ways,
    example_frames,
    own_text,
    parts,
    said_ways,
    ways,
)
from socp.wire import content, limits, payloads
from socp.wire.part import Part, Payload

SCHEMAS = "#/components/schemas/"


def document() -> dict[str, Any]:
    """AsyncAPI 3: one channel to users, one to servers, each frame a message of them."""
    taken, examples = ways(), example_frames()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SOCP",
            "version": "1.3.0",
            "description": "The Secure Overlay Chat Protocol as this project speaks it. Made by "
            "script/frames; docs/frames.md is the same for people.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": "localhost:8001",
                "protocol": "ws",
                "description": "one port for users, servers and HTTP; wss with a certificate",
            }
        },
        "channels": {
            "user": channel("A user's link to their server", taken, TO_SERVER, TO_USER),
            "server": channel("The one link of two servers", taken, BETWEEN),
        },
        "operations": {
            "takeFromUser": operation("receive", "user", taken, TO_SERVER),
            "sayToUser": operation("send", "user", taken, TO_USER),
            "takeFromServer": operation("receive", "server", taken, BETWEEN),
            "sayToServer": operation("send", "server", taken, BETWEEN),
        },
        "components": {
            "messages": {
                kind.TYPE: message(kind, said_ways(taken[kind]), examples[kind.TYPE])
                for kind in payloads.KINDS
            },
            "schemas": schemas(),
        },
    }


def channel(told: str, taken: Ways, *on: str) -> dict[str, Any]:
    names = [kind.TYPE for kind, row in taken.items() if any(way in row for way in on)]
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    return {"address": "/", "description": told, "messages": messages}


def operation(action: str, name: str, taken: Ways, way: str) -> dict[str, Any]:
    names = [kind.TYPE for kind, row in taken.items() if way in row]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"The frames from {way}",
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in names],
    }


def message(kind: type[Payload], said: str, frame: dict[str, Any]) -> dict[str, Any]:
    """A frame with its envelope, by every name that is taken for it."""
    members: dict[str, Any] = {"type": {"enum": [kind.TYPE, *kind.ALIASES]}}
    if kind is payloads.CtrlClose:
        payload: dict[str, Any] = {"type": "object", "required": ["type"], "properties": members}
    else:
        members["payload"] = {"$ref": SCHEMAS + kind.__name__}
        payload = {"allOf": [{"$ref": SCHEMAS + "Envelope"}, {"properties": members}]}
    return {
        "name": kind.TYPE,
        "title": kind.TYPE,
        "summary": f"Said {said}.",
        "description": own_text(kind),
        "payload": payload,
        "examples": [{"payload": frame}],
    }


def schemas() -> dict[str, Any]:
    """Every payload, part and sealed content as JSON Schema, and the envelope."""
    ours: tuple[type[Part], ...] = (*payloads.KINDS, *content.KINDS.values())
    _, made = msgspec.json.schema_components(ours, ref_template=SCHEMAS + "{name}")
    kinds = {kind.__name__: kind for kind in (*ours, *parts(payloads.KINDS))}
    found = {name: mended(kinds[name], schema) for name, schema in made.items()}
    return {"Envelope": envelope(), **found, "Place": place()}


def mended(kind: type[Part], schema: dict[str, Any]) -> dict[str, Any]:
    """With what msgspec cannot say: ECMA's `$` for Python's, what is refused, other names."""
    schema = json.loads(json.dumps(schema).replace(r"\\Z", "$"))
    schema["description"] = own_text(kind)
    if not schema["required"]:
        del schema["required"]
    for field in msgspec.structs.fields(kind):
        if isinstance(field.default, UnsetType):
            schema["properties"][field.encode_name] = False
    for name, others in getattr(kind, "MEMBER_ALIASES", {}).items():
        schema["properties"][name]["x-also-read-as"] = list(others)
    return schema


def envelope() -> dict[str, Any]:
    addressee = {"type": "string", "maxLength": limits.ADDRESSEE_CHARS}
    return {
        "title": "Envelope",
        "description": "One frame (section 2).",
        "type": "object",
        "properties": {
            "type": {"type": "string", "minLength": 1, "maxLength": limits.TYPE_CHARS},
            "from": addressee,
            "to": {**addressee, "minLength": 1},
            "ts": {"type": "integer", "minimum": 0, "maximum": limits.INTEGER_MAX},
            "payload": {"type": "object"},
            "sig": {"type": "string", "default": ""},
        },
        "required": ["type", "from", "to", "ts", "payload"],
    }


def place() -> dict[str, Any]:
    """What every `content/1` carries beside the members of its kind."""
    kinds = {"v": {"const": 1}, "kind": {"type": "string", "maxLength": 64}}
    typed = {"run": content.Run, "seq": content.Seq, "prev": content.RefOrNone}
    made = {name: msgspec.json.schema(kind) for name, kind in typed.items()}
    made["first"] = made["prev"]
    members = json.loads(json.dumps(kinds | made).replace(r"\\Z", "$"))
    return {
        "title": "Place",
        "description": "Where a sealed content stands (section 11), beside the members of its kind.",
        "type": "object",
        "properties": members,
        "required": ["v", "kind", "run", "seq"],
    }
