"""docs/frames.md and docs/asyncapi.json: made from the payload classes, whole, valid and true."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from socp.wire import content, payloads
from socp.wire.canonical import canonical
from socp.wire.errors import PeerFault
from socp.wire.payloads import Payload
from tests.house import asyncapi_form

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/frames.md").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
MESSAGES = DOCUMENT["components"]["messages"]
KINDS = [pytest.param(kind, id=kind.TYPE) for kind in payloads.KINDS]
Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    read: list[Case] = json.loads((ROOT / "vectors" / name).read_text(encoding="utf-8"))["cases"]
    return read


def named(found: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case["why"]) for case in found]


@cache
def judge(where: str, name: str) -> jsonschema_rs.Draft7Validator:
    """Judges a value by one of the document's schemas, references and all."""
    payload = "/payload" if where == "messages" else ""
    at = f"#/components/{where}/{name}{payload}"
    return jsonschema_rs.Draft7Validator({"$ref": at, "components": DOCUMENT["components"]})


def faults(where: str, name: str, value: object) -> list[str]:
    return [f"{e.instance_path}: {e.message}" for e in judge(where, name).iter_errors(value)]


# --- current and whole --------------------------------------------------------------------------


def test_the_pages_are_current() -> None:
    done = subprocess.run(
        [str(ROOT / "script/frames"), "--check"], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_on_the_page_with_its_other_names(kind: type[Payload]) -> None:
    own = PAGE.partition(f"\n### {kind.TYPE}\n")[2].partition("\n### ")[0]
    assert own
    assert all(f"`{alias}`" in own for alias in kind.ALIASES)
    for field in kind.__struct_encode_fields__:
        assert field == "bind" or f"\n| `{field}` |" in own
    for others in kind.MEMBER_ALIASES.values():
        assert all(f"`{other}`" in own for other in others)


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_a_message_of_the_document_that_somebody_says(kind: type[Payload]) -> None:
    assert MESSAGES[kind.TYPE]["name"] == kind.TYPE
    assert kind.__name__ in SCHEMAS
    said = {
        each["$ref"].rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        for each in operation["messages"]
    }
    assert kind.TYPE in said


def test_every_kind_of_sealed_content_is_there_too() -> None:
    for name, kind in content.KINDS.items():
        assert kind.__name__ in SCHEMAS
        assert f"\n### {name}\n" in PAGE


def test_the_links_of_the_page_lead_somewhere() -> None:
    protocol = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    anchors = {
        name: set(anchors_of(text)) for name, text in (("", PAGE), ("protocol.md", protocol))
    }
    links = [part.partition(")")[0] for part in PAGE.split("](")[1:]]
    assert len(links) > len(payloads.KINDS)
    for file, _, anchor in (link.partition("#") for link in links):
        assert anchor in anchors[file] if anchor else (ROOT / "docs" / file).exists()


def anchors_of(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ").lower()
            yield "".join(c for c in title if c.isalnum() or c in " _-").replace(" ", "-")


# --- valid --------------------------------------------------------------------------------------


def test_the_document_has_the_form_of_asyncapi_3() -> None:
    form = jsonschema_rs.Draft7Validator(asyncapi_form.DOCUMENT)
    assert [f"{e.instance_path}: {e.message}" for e in form.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "path",
    [
        ("asyncapi",),
        ("info", "version"),
        ("channels", "user", "messages"),
        ("operations", "sayToUser", "action"),
        ("components", "messages", "ACK", "payload"),
    ],
)
def test_a_document_without_what_asyncapi_asks_for_is_refused(path: tuple[str, ...]) -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    *to, last = path
    at = broken
    for name in to:
        at = at[name]
    del at[last]
    assert not jsonschema_rs.Draft7Validator(asyncapi_form.DOCUMENT).is_valid(broken)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(at := value.get("$ref"), str):
            yield at
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(payloads.KINDS)
    for at in found:
        value: Any = DOCUMENT
        for name in at.removeprefix("#/").split("/"):
            value = value[name]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_json_schema(name: str) -> None:
    jsonschema_rs.meta.validate(
        {"$schema": "http://json-schema.org/draft-07/schema#", **SCHEMAS[name]}
    )


# --- true ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", named(cases("wire/frames.json")))
def test_an_example_is_what_we_write_and_is_valid(case: Case) -> None:
    frame = {name: value for name, value in case.items() if name != "why"}
    assert faults("messages", frame["type"], frame) == []
    if "payload" in frame:
        said = payloads.parse_as(payloads.TYPES[frame["type"]], frame["payload"])
        assert payloads.members_bytes(said) == canonical(frame["payload"])


@pytest.mark.parametrize("case", named(cases("wire/good_frames.json")))
def test_a_good_frame_is_an_envelope(case: Case) -> None:
    if "frame" in case and case["type"] != "CTRL_CLOSE":
        assert faults("schemas", "Envelope", members_of(case["frame"])) == []


def members_of(text: str) -> Any:
    """A fraction as text: it is no whole number (section 2), which JSON Schema cannot see."""
    return json.loads(text, parse_float=str)


def payload_vectors() -> Iterator[tuple[str, str, object]]:
    """Every payload in vectors/ that a frame may have: why, its type, its members."""
    for file in ("members", "types", "welcome"):
        for case in cases(f"foreign/{file}.json"):
            yield case["why"], case["is"], case["members"]
    for case in cases("wire/bind.json"):
        yield case["why"], case["type"], members_of(case["payload"])
    for case in cases("wire/dedup.json"):
        for which in ("first", "second"):
            if case[which]["type"] in payloads.TYPES:
                yield case["why"], case[which]["type"], members_of(case[which]["payload"])
    for case in cases("crypto/content_sig.json"):
        if case["kind"] == "manifest":
            yield case["why"], "FILE_START", case["members"]


@pytest.mark.parametrize(
    ("type_name", "members"), [pytest.param(*rest, id=why) for why, *rest in payload_vectors()]
)
def test_a_schema_takes_a_vectors_payload_where_our_parser_does(
    type_name: str, members: object
) -> None:
    kind = payloads.TYPES[type_name]
    text = json.dumps(members).encode()
    try:
        payloads.parse_as(kind, text)
        taken = True
    except PeerFault:
        taken = False
    assert (faults("schemas", kind.__name__, members) == []) is taken


@pytest.mark.parametrize("case", named(cases("wire/content.json")))
def test_a_schema_takes_a_sealed_content_of_a_kind_it_knows(case: Case) -> None:
    if case["kind"] in content.KINDS:
        members = json.loads(case["text"])
        assert faults("schemas", "Place", members) == []
        assert faults("schemas", content.KINDS[case["kind"]].__name__, members) == []
