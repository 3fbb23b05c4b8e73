"""Canonical JSON is what Python's json.dumps writes, whatever the value (section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from socp.wire.canonical import canonical, canonical_utf8, to_members
from socp.wire.part import Part
from socp.wire.payloads import (
    KINDS,
    Ack,
    Bind,
    Error,
    ListRequest,
    OnlineRow,
    Payload,
    ServerWelcome,
    Session,
    UserList,
    UserRemove,
    UsersTold,
)
from tests.wire.examples import EXAMPLES

pytestmark = [pytest.mark.spec("3"), pytest.mark.threat("M7")]

texts = st.text(st.characters(exclude_categories=["Cs"]))
ascii_texts = st.text(st.characters(max_codepoint=0x7F))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | ascii_texts | texts,
    lambda items: st.lists(items) | st.dictionaries(ascii_texts | texts, items),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(values)
@example({"a": 1e16, "b": 1e-7, "c": 5e-324, "d": -0.0, "e": 100000.0})
@example(["\x7f", "\x80", "\u2028", "/", "\ud7ff", "\U0010ffff"])
@example([[[[[[[[[[[1]]]]]]]]]]])
@example({"\ue000": 1, "\U0001f600": 2, "z": 3})
def test_it_is_what_python_writes(value: object) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert canonical(value).decode("ascii") == expected
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_utf8(value).decode() == expected


def test_numbers_that_json_does_not_have_are_our_own_bug() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


@pytest.mark.parametrize("payload", EXAMPLES, ids=lambda payload: payload.TYPE)
def test_a_payload_is_written_as_its_members_are(payload: Payload) -> None:
    assert canonical(payload) == canonical(to_members(payload))
    assert canonical_utf8(payload) == canonical_utf8(to_members(payload))


def test_members_have_their_names_on_the_wire() -> None:
    bind = Bind(type="X", from_="a", to="b", ts=1)
    assert to_members(bind) == {"type": "X", "from": "a", "to": "b", "ts": 1}
    assert to_members(ListRequest(bind=bind)) == {"bind": to_members(bind)}


@pytest.mark.parametrize(
    ("payload", "members"),
    [
        (ListRequest(), {}),
        (Ack(), {"msg_ref": ""}),
        (Error(), {"code": "", "detail": ""}),
        (UserList(), {"users": [], "online": []}),
        (ServerWelcome(assigned_id="s"), {"assigned_id": "s", "clients": [], "servers": []}),
        (
            UserList(online=(OnlineRow(user_id="u"),)),
            {"users": [], "online": [{"user_id": "u", "server_id": "", "display_name": ""}]},
        ),
    ],
    ids=lambda value: getattr(value, "TYPE", None),
)
def test_members_that_the_standard_lists_are_written_even_where_empty(
    payload: Payload, members: dict[str, object]
) -> None:
    assert to_members(payload) == members


def test_a_part_has_no_members_that_are_always_written_and_a_payload_may() -> None:
    class Small(Part, frozen=True):
        count: int = 0

    class Said(Payload, frozen=True):
        ALWAYS = ("count",)
        count: int = 0
        more: int = 0

    assert (canonical(Small()), canonical(Small(count=1))) == (b"{}", b'{"count":1}')
    assert (canonical(Said()), canonical(Said(more=1))) == (b'{"count":0}', b'{"count":0,"more":1}')


def test_a_member_of_any_kind_is_written_as_it_came() -> None:
    said = UserRemove(user_id="u", server_id="s", meta={"a": [1.5]})
    assert to_members(said)["meta"] == {"a": [1.5]}


@pytest.mark.spec("3")
def test_what_we_say_has_no_fractions() -> None:
    """Of which msgspec, that writes our payloads, writes the exponents in its own way."""
    kinds = set(parts(Part))
    assert {*KINDS, Session, UsersTold} <= kinds
    ours = [kind for kind in kinds if kind.__module__.startswith("socp.")]
    told = {f"{kind.__name__}.{f.name}" for kind in ours for f in members(kind) if takes_any(f)}
    assert told == {f"UserRemove.{name}" for name in ("meta", "pubkey", "features", "attach")}, (
        "these are only there to be refused"
    )


def parts(kind: type[Part]) -> Iterator[type[Part]]:
    for each in kind.__subclasses__():
        yield each
        yield from parts(each)


def members(kind: type[Part]) -> Sequence[inspect.Field]:
    told = inspect.type_info(kind)
    assert isinstance(told, inspect.StructType)
    return told.fields


PLAIN = (
    inspect.StrType,
    inspect.IntType,
    inspect.BoolType,
    inspect.NoneType,
    inspect.LiteralType,  # of text and integers
)


def takes_any(field: inspect.Field) -> bool:
    def plain(told: inspect.Type) -> bool:
        match told:
            case inspect.StructType():
                return issubclass(told.cls, Part)
            case inspect.UnionType():
                return all(map(plain, told.types))
            case inspect.VarTupleType() | inspect.ListType():
                return plain(told.item_type)
            case _:
                return isinstance(told, PLAIN)

    return not plain(field.type)
