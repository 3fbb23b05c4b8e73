"""docs/frames.md, for people."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec

from docs.make.frames import (
    ROOT,
    WAYS,
    Ways,
    example_frames,
    own_text,
    parts,
    said_ways,
    ways,
)
from socp.wire import content, limits, part, payloads
from socp.wire.part import Part, Payload

PROTOCOL = ROOT / "docs/protocol.md"
WIDTH = 140

# The members whose kind has a name of its own; the page explains each once.
KINDS = {
    "Id": (part.Id, "a UUID v4, lower case, 36 characters"),
    "ServerId": (part.ServerId, "a server's id; a foreign one may be no UUID: 1 to 64 characters"),
    "KeyText": (
        part.KeyText,
        f"an RSA-4096 public key: base64url of its DER SubjectPublicKeyInfo, no padding (section 3 "
        f"has what else is read); at most {limits.KEY_TEXT_CHARS:,} characters",
    ),
    "Base64Url": (part.Base64Url, "bytes in base64url, written without padding"),
    "Hex64": (part.Hex64, "32 bytes as 64 hex digits, lower case"),
    "Count": (part.Count, "a whole number, 0 to 2^53 - 1; a `ts` is in Unix ms"),
    "Port": (part.Port, "a whole number, 1 to 65,535"),
    "Host": (part.Host, "a name or an address, 1 to 255 characters"),
    "Feature": (part.Feature, "the name of an extension: at most 64 printable ASCII characters"),
    "MsgRef": (content.MsgRef, "a message's name (section 9), 43 characters of base64url"),
    "Run": (content.Run, "16 hex digits, lower case"),
    "Seq": (content.Seq, "a whole number, 1 to 2^53 - 1"),
}
NAMES = {
    json.dumps(msgspec.json.schema(kind), sort_keys=True): f"*{name}*"
    for name, (kind, _) in KINDS.items()
}
NAMES[json.dumps(msgspec.json.schema(content.RefOrNone), sort_keys=True)] = '*MsgRef* or `""`'

HEAD = f"""# Frames

Every frame that this project sends and takes, for whoever writes the other end. Made from the classes in
`src/socp/wire/payloads/` by `script/frames`, like [asyncapi.json](asyncapi.json), which says the same in AsyncAPI 3 with JSON
Schemas. What a frame is for and what must hold before it counts is the protocol's: sections are those of its own page,
links lead to what [protocol.md](protocol.md) adds. Examples are those of `vectors/wire/frames.json`; the keys, signatures and
ciphertexts in them are too short to be real.

## Around every payload
| member | type | |
|---|---|---|
| `type` | text, 1 to {limits.TYPE_CHARS} characters | one of the names below |
| `from` | text, at most {limits.ADDRESSEE_CHARS} characters | the id of the user or server who says it |
| `to` | text, 1 to {limits.ADDRESSEE_CHARS} characters | an id, `*` for all, `public`, or `host:port` in SERVER_HELLO_JOIN |
| `ts` | a whole number, 0 to 2^53 - 1 | Unix ms |
| `payload` | an object | the members listed with each frame |
| `sig` | text | over the canonical form of `payload`; absent reads as `""`, which some frames may have |

Strict JSON in one text frame of at most {limits.FRAME_BYTES:,} bytes ({limits.FRAME_BYTES_UNIDENTIFIED:,} until the link is identified),
{limits.FRAME_VALUES:,} values and {limits.FRAME_LEVELS} levels (section 2). Members that are not listed are ignored, and are covered by `sig` like the others.

- **required**: without it the frame is refused with BAD_FRAME. Any other member reads as its default where it is absent, and
  is not written where it holds it, unless the table says *always written*.
- **also read as**: another implementation's name for it (section 13), read where ours is absent, never written.
- Any payload may carry `bind` ([Bind](#bind)), which the tables leave out.
"""


def page() -> str:
    """The whole of it."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(paragraphs())).rstrip() + "\n"


def paragraphs() -> Iterator[str]:
    taken, examples, headings = ways(), example_frames(), protocol_headings()
    yield HEAD
    yield "Kinds of members:\n"
    yield "\n".join(f"- *{name}*: {told}" for name, (_, told) in KINDS.items()) + "\n"
    yield "## Who says what to whom\n"
    yield from overview(taken)
    for module in dict.fromkeys(inspect.getmodule(kind) for kind in payloads.KINDS):
        yield f"## {own_title(module)}\n"
        for kind in payloads.KINDS:
            if inspect.getmodule(kind) is module:
                yield f"### {kind.TYPE}\n\n{own_text(kind)}\n"
                yield from facts(kind, taken[kind], headings)
                yield members_table(kind)
                yield example(examples[kind.TYPE])
    yield "## Parts of payloads\n"
    for each in parts(payloads.KINDS):
        yield f"### {each.__name__}\n\n{own_text(each)}\n\n{members_table(each)}"
    yield "## What is sealed\n"
    yield from sealed()


def own_title(module: Any) -> str:
    return re.sub(r" \([^)]*\)\.?$|\.$", "", inspect.cleandoc(module.__doc__).split("\n")[0])


def overview(taken: Ways) -> Iterator[str]:
    rows = [f"| frame | {' | '.join(WAYS)} |", "|---|---|---|---|"]
    for kind in payloads.KINDS:
        cells = (taken[kind][way] or "yes" if way in taken[kind] else "" for way in WAYS)
        rows.append(f"| [{kind.TYPE}](#{kind.TYPE.lower()}) | {' | '.join(cells)} |")
    yield "\n".join(rows) + "\n"


def facts(
    kind: type[Payload], row: dict[str, str], headings: dict[str, list[str]]
) -> Iterator[str]:
    lines = [f"- Said: {said_ways(row)}."]
    if kind.ALIASES:
        lines.append("- Also taken as: " + ", ".join(f"`{name}`" for name in kind.ALIASES) + ".")
    if links := headings.get(kind.TYPE):
        anchors = (f"[{title}](protocol.md#{anchor(title)})" for title in links)
        lines.append("- More: " + ", ".join(anchors) + ".")
    yield "\n".join(lines) + "\n"


def protocol_headings() -> dict[str, list[str]]:
    """Of each frame, under which headings of docs/protocol.md it is named."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in PROTOCOL.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", line):
            if title not in (titles := found.setdefault(name, [])):
                titles.append(title)
    return found


def anchor(title: str) -> str:
    """What a heading's link is called."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def members_table(kind: type[Part]) -> str:
    """The members of one class, with what is to be known of each."""
    hints = get_type_hints(kind, include_extras=True)
    aliases = getattr(kind, "MEMBER_ALIASES", {})
    always = getattr(kind, "ALWAYS", ())
    rows = ["| member | type | |", "|---|---|---|"]
    notes = comments(kind)
    for field in msgspec.structs.fields(kind):
        if field.encode_name == "bind" and issubclass(kind, Payload):
            continue
        told = [is_absent(field, always, kind)]
        if others := aliases.get(field.name):
            told.append("also read as " + ", ".join(f"`{other}`" for other in others))
        told += [notes[field.name]] if field.name in notes else []
        shown = type_text(hints[field.name])
        rows.append(f"| `{field.encode_name}` | {shown} | {'; '.join(told)} |")
    return ("\n".join(rows) if len(rows) > 2 else "No members.") + "\n"


def is_absent(field: msgspec.structs.FieldInfo, always: tuple[str, ...], kind: type[Part]) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.UNSET:
        return "refused where it stands"
    default = "" if field.default is None else f", `{json.dumps(field.default)}`"
    written = field.name in always or not kind.__struct_config__.omit_defaults
    return f"optional{default}" + (", always written" if written else "")


def comments(kind: type[Part]) -> dict[str, str]:
    """What is said beside the members in the source, of bases too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Part) and base is not Part:
            found |= dict(re.findall(r"\n    (\w+):[^#\n]*#  ?(.*)", inspect.getsource(base)))
    return found


def type_text(hint: Any) -> str:
    """A member's type in words."""
    schema, defined = msgspec.json.schema_components([hint], ref_template="{name}")
    return schema_text(schema[0], defined)


def schema_text(schema: dict[str, Any], defined: dict[str, Any]) -> str:
    name = NAMES.get(json.dumps(schema, sort_keys=True))
    if name is not None:
        return name
    if "$ref" in schema:
        return f"[{schema['$ref']}](#{schema['$ref'].lower()})"
    if "anyOf" in schema:
        others = [each for each in schema["anyOf"] if each != {"type": "null"}]
        return " or ".join(schema_text(each, defined) for each in others)
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            items = schema_text(schema["items"], defined)
            return f"list of {items}{bounds(schema, 'Items', '')}"
        case "string":
            return f"text{bounds(schema, 'Length', ' characters')}"
        case "integer":
            return "a whole number"
        case "boolean":
            return "true or false"
    return "anything"


def bounds(schema: dict[str, Any], what: str, unit: str) -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if most is None:
        return ""
    return f", {least} to {most:,}{unit}" if least else f", at most {most:,}{unit}"


def sealed() -> Iterator[str]:
    """`content/1`, which only the two ends read."""
    yield (
        "`content/1` (section 11): the plaintext inside `hybrid/1` is one of these objects, with "
        "the members\nof its place beside them. More: [Content](protocol.md#content); "
        "vectors: `vectors/wire/content.json`.\n"
    )
    yield (
        "Place: `v` (`1`), `kind` (the name below), `run` (*Run*), `seq` (*Seq*), `prev` (*MsgRef* "
        'or `""`), `first` (*MsgRef*, optional).\n'
    )
    for name, kind in content.KINDS.items():
        yield f"### {name}\n\n{own_text(kind)}\n\n{members_table(kind)}"


def example(frame: dict[str, Any]) -> str:
    members = [f'"{name}": {json.dumps(value)}' for name, value in frame.items()]
    lines = (
        [json.dumps(frame)] if len(json.dumps(frame)) <= WIDTH else ["{", *indented(members), "}"]
    )
    return "```json\n" + "\n".join(lines) + "\n```\n"


def indented(members: list[str]) -> Iterator[str]:
    for index, member in enumerate(members):
        yield f"  {member}{',' if index + 1 < len(members) else ''}"
