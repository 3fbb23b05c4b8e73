"""M7: JSON read in two ways: duplicate members, NaN, big numbers, lone surrogates, canonical forms
that differ."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from socp.crypto import content_sig
from socp.crypto.signing import sign_transport
from socp.member.events import LookUp
from socp.sim.network import Endpoint
from socp.sim.stranger import Stranger
from socp.sim.user import User
from socp.wire import base64url
from socp.wire.envelope import decode
from tests.sim.town import Town, town

Bend = Callable[[bytes], bytes]
BY_THE_CLOCK = ("LIST_REQUEST", "USER_LIST")
MARK = b'"client":"mark"'  # an unknown member of the payload, to put something in its place


def in_place_of_the_mark(text: bytes) -> Bend:
    def bend(data: bytes) -> bytes:
        assert data.count(MARK) == 1
        return data.replace(MARK, text)

    return bend


def before_the_end(text: bytes) -> Bend:
    def bend(data: bytes) -> bytes:
        return data[:-1] + b"," + text + b"}"

    return bend


def at_the_start(text: bytes) -> Bend:
    def bend(data: bytes) -> bytes:
        return b"{" + text + b"," + data[1:]

    return bend


def ts_as(suffix: bytes) -> Bend:
    def bend(data: bytes) -> bytes:
        head, _, rest = data.partition(b'"ts":')
        return head + b'"ts":' + rest[:13] + suffix + rest[13:]

    return bend


TWO_READINGS: dict[str, Bend] = {
    "from twice": before_the_end(b'"from":"11111111-1111-4111-8111-111111111111"'),
    "from twice, the other first": at_the_start(b'"from":"11111111-1111-4111-8111-111111111111"'),
    "to twice": before_the_end(b'"to":"11111111-1111-4111-8111-111111111111"'),
    "from twice, once in escapes": before_the_end(
        b'"\\u0066rom":"11111111-1111-4111-8111-111111111111"'
    ),
    "type twice": at_the_start(b'"type":"HEARTBEAT"'),
    "payload twice": before_the_end(b'"payload":{}'),
    "ciphertext twice": in_place_of_the_mark(b'"ciphertext":"AAAA"'),
    "ciphertext twice, once in escapes": in_place_of_the_mark(b'"ciphertex\\u0074":"AAAA"'),
    "sender_pub twice": in_place_of_the_mark(b'"sender_pub":"AAAA"'),
    "twice in a member nobody knows": in_place_of_the_mark(b'"x":[{"a":1,"a":2}]'),
    "NaN": in_place_of_the_mark(b'"x":NaN'),
    "Infinity": in_place_of_the_mark(b'"x":-Infinity'),
    "an overflow": in_place_of_the_mark(b'"x":1e400'),
    "an integer that floats round": in_place_of_the_mark(b'"x":9007199254740993'),
    "a lone surrogate": in_place_of_the_mark(b'"x":"\\ud800"'),
    "a lone surrogate in a name": in_place_of_the_mark(b'"\\udc00":1'),
    "invalid UTF-8": in_place_of_the_mark(b'"x":"\xff"'),
    "an overlong form": in_place_of_the_mark(b'"x":"\xc0\xa2"'),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "two frames": lambda data: data + data,
    "a comment": in_place_of_the_mark(b'"x":1/**/'),
    "a ts with a fraction": ts_as(b".0"),
    "a ts with an exponent": ts_as(b"e0"),
}


def v13_user(t: Town) -> Stranger:
    stranger = t.world.add_stranger("mallory")
    stranger.dials(t.a)
    t.run(0.1)
    stranger.hello()
    t.run(1)
    return stranger


def message(t: Town, author: Stranger, reader: User, text: bytes) -> dict[str, object]:
    raw, ts = reader.key.public.seal(text), t.world.wall
    return {
        "ciphertext": base64url.encode(raw),
        "sender_pub": author.key.public.text,
        "content_sig": content_sig.sign_direct(author.key, raw, author.id, reader.id, ts),
    }


def text_of(t: Town, kind: str, from_: str, to: str, payload: dict[str, object], sig: str) -> bytes:
    """A frame as many write it: with Python's json."""
    members = {"type": kind, "from": from_, "to": to, "ts": t.world.wall, "payload": payload}
    return json.dumps(members | {"sig": sig}, separators=(",", ":")).encode()


def frames_out(t: Town) -> int:
    """How many frames a has sent to the other servers and to alice; but for who is there, which a
    client asks by the clock alone."""
    wires = [t.world.network.between(t.a, t.b), t.world.network.between(t.a, t.c), t.alice.wire]
    frames = [data for wire in wires if wire for data in (*wire.up_log, *wire.down_log)]
    return sum(decode(data).type not in BY_THE_CLOCK for data in frames)


@pytest.mark.threat("M7")
@pytest.mark.parametrize("how", TWO_READINGS)
def test_no_server_passes_on_what_another_could_read_in_another_way(how: str) -> None:
    t = town()
    mallory = v13_user(t)
    said = message(t, mallory, t.bob, b"which one?") | {"client": "mark"}
    data = text_of(t, "MSG_DIRECT", mallory.id, t.bob.id, said, "")
    before = frames_out(t)
    mallory.raw(TWO_READINGS[how](data))
    t.run(0.4)  # less than a heartbeat
    assert frames_out(t) == before
    assert [e.members["code"] for e in mallory.said("ERROR")] == ["BAD_FRAME"]
    assert t.bob.texts == []
    mallory.raw(data)
    t.run(1)
    assert t.bob.texts == ["which one?"], "the frame was good but for that"


@pytest.mark.threat("M7")
@pytest.mark.parametrize("how", TWO_READINGS)
@pytest.mark.parametrize("which", [0, 1], ids=["to a server", "to a client"])
def test_no_server_takes_it_from_a_server_and_no_client_from_its_own(how: str, which: int) -> None:
    t = town()
    mallory = v13_user(t)
    bend = TWO_READINGS[how]
    said = message(t, mallory, t.bob, b"which one?") | {"client": "mark"}
    deliver = said | {"user_id": t.bob.id, "sender": mallory.id, "orig_ts": t.world.wall}
    good: list[tuple[Endpoint, Endpoint, bytes]] = []
    for server, peer, kind in ((t.a, t.b, "SERVER_DELIVER"), (t.b, t.bob, "USER_DELIVER")):
        to = peer.id
        bound = {"type": kind, "from": server.id, "to": to, "ts": t.world.wall}
        payload = deliver | {"bind": bound}
        sig = sign_transport(server.key, payload)
        data = text_of(t, kind, server.id, to, payload, sig)
        good.append((server, peer, data))
        t.world.network.between(server, peer).send(server, bend(data))
        t.run(1)
        assert t.bob.texts == []
    assert t.a.id in t.b.linked
    assert t.bob.member.attached
    sender, hearer, data = good[which]
    t.world.network.between(sender, hearer).send(sender, data)
    t.run(1)
    assert t.bob.texts == ["which one?"], "the frame was good but for that"


# --- one payload in many texts ------------------------------------------------------------------


def spaced(value: object) -> str:
    return json.dumps(value, indent=1)


def unsorted(value: object) -> str:
    assert isinstance(value, dict)
    return json.dumps(dict(reversed(value.items())), separators=(",", ":"))


def raw_utf8(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def escaped(value: object) -> str:
    return json.dumps(value).replace("e", "\\u0065").replace("tru\\u0065", "true")


SPELLINGS: list[Callable[[object], str]] = [json.dumps, spaced, unsorted, raw_utf8, escaped]


@pytest.mark.threat("M7")
@pytest.mark.parametrize("key", ["alpha", "\U0001f388", "\ufb01", "é"])
def test_a_payload_verifies_in_every_spelling_and_counts_once(key: str) -> None:
    """Keys that a browser sorts in another order than Python does, escapes, spaces."""
    t = town()
    t.alice.event(LookUp("99999999-9999-4999-8999-999999999999"))
    ghost = t.world.suite.generate().public.text
    said: dict[str, object] = {
        "user_id": "99999999-9999-4999-8999-999999999999",
        "server_id": t.c.id,
        "meta": {"display_name": "Zoë \U0001f388", key: 1, "\ue000": "\u2028"},
        "pubkey": ghost,
        key: ["é"],
        "\uffff": None,
    }
    said["bind"] = {"type": "USER_ADVERTISE", "from": t.c.id, "to": "*", "ts": t.world.wall}
    sig = sign_transport(t.c.key, said)
    wire = t.world.network.between(t.a, t.c)
    ts = t.world.wall
    for spelling in SPELLINGS:
        payload = spelling(said)
        head = f'{{"type":"USER_ADVERTISE","from":"{t.c.id}","to":"*","ts":{ts},'
        wire.send(t.c, f'{head}"payload":{payload},"sig":"{sig}"}}'.encode())
        t.run(0.2)
    heard = [e for e in t.alice.heard("USER_ADVERTISE") if "99999999" in str(e.members)]
    assert len(heard) == 1
    assert t.alice.member.contacts.is_online("99999999-9999-4999-8999-999999999999")
    assert t.alice.member.contacts.label("99999999-9999-4999-8999-999999999999") == "Zoë \U0001f388"


@pytest.mark.threat("M7")
def test_a_message_in_many_spellings_is_shown_once() -> None:
    t = town()
    mallory = v13_user(t)
    said = message(t, mallory, t.bob, b"once") | {"é": "\U0001f388"}
    ts = t.world.wall
    for spelling in SPELLINGS:
        head = f'{{"type":"MSG_DIRECT","from":"{mallory.id}","to":"{t.bob.id}","ts":{ts},'
        mallory.raw(f'{head}"payload":{spelling(said)},"sig":""}}'.encode())
        t.run(0.2)
    assert t.bob.texts == ["once"]
    assert len(t.bob.heard("USER_DELIVER")) == 1
