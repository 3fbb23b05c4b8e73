"""Section 2: the envelope, strict JSON, times."""

from __future__ import annotations

import json
from typing import Any, Final

import aiohttp

from socp.conform.expect import LISTS, refused, same
from socp.conform.figures import FRAME_LEVELS, FRAME_VALUES, INTEGER_MAX, WINDOW_MS
from socp.conform.frames import now_ms
from socp.conform.peers import Peer, message, server_hello
from socp.conform.probe import Probe, say_first
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect

ENVELOPE: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_MEMBERS: Final[dict[str, type]] = {
    "type": str,
    "from": str,
    "to": str,
    "ts": int,
    "payload": dict,
    "sig": str,
}
_TOO_LATE_MS: Final = WINDOW_MS + 60_000


async def _is_answered(peer: Peer) -> None:
    """The link is up, and the server listens."""
    await peer.say("LIST_REQUEST", {})
    await peer.link.hears(*LISTS)


# --- what the server sends ----------------------------------------------------------------------


@ENVELOPE.must(
    "2.1-members",
    "a frame of the server has type, from, to, ts, payload and sig, each of its kind",
    "send all six members; sig may be empty only where you have no key",
)
async def _members(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.say("LIST_REQUEST", {})
    listed = await carol.link.hears(*LISTS)
    for frame in (carol.answer, listed):
        for name, kind in _MEMBERS.items():
            if type(frame.members.get(name)) is not kind:
                raise Breach(f"{frame.type}: {name} is {frame.members.get(name)!r:.80}")


@ENVELOPE.must(
    "2.2-unix-ms",
    "the server's ts is in Unix milliseconds and within 5 minutes of now",
    "write Unix time in milliseconds, 13 digits, and set your clock",
)
async def _unix_ms(probe: Probe) -> None:
    carol = await probe.user("carol")
    ts = carol.answer.ts
    if type(ts) is not int or abs(ts - now_ms()) > WINDOW_MS:
        raise Breach(f"ts is {ts!r}, and it is {now_ms()}")


@ENVELOPE.must(
    "2.3-from-and-to",
    "a frame of the server is from its id, to the user's id",
    "put your server id into from, and into to whom the frame is for",
)
async def _from_and_to(probe: Probe) -> None:
    carol = await probe.user("carol")
    same("from", carol.answer.members.get("from"), carol.server_id)
    same("to", carol.answer.members.get("to"), carol.id)


# --- what it must ignore ------------------------------------------------------------------------


@ENVELOPE.must(
    "2.4-unknown-envelope-member",
    "an unknown member of the envelope is ignored",
    "take frames with members you do not know",
)
async def _unknown_envelope_member(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.link.say({**alice.frame("LIST_REQUEST", {}), "x-conform": {"deep": [1, 2]}})
    await alice.link.hears(*LISTS)


@ENVELOPE.must(
    "2.5-unknown-payload-member",
    "an unknown member of a payload is ignored",
    "take payloads with members you do not know",
)
async def _unknown_payload_member(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {"x-conform": "é", "x-null": None})
    await alice.link.hears(*LISTS)


@ENVELOPE.must(
    "2.6-unknown-type",
    "an unknown type is answered by ERROR UNKNOWN_TYPE",
    "answer what you do not know by ERROR UNKNOWN_TYPE",
)
async def _unknown_type(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("X_CONFORM", {})
    await refused(alice.link, "UNKNOWN_TYPE")


@ENVELOPE.must(
    "2.7-unknown-type-stays",
    "the link stays up after an unknown type",
    "do not close a link over a type that you do not know",
)
async def _unknown_type_stays(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.says_wrong("X_CONFORM", {})
    await _is_answered(carol)


@ENVELOPE.must(
    "2.8-error-unanswered",
    "an ERROR is never answered with an ERROR",
    "drop ERROR frames that you cannot use, without a word",
)
async def _error_unanswered(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("ERROR", {"code": "X_CONFORM", "detail": "nothing of yours"})
    await alice.say("ERROR", {"code": 7})
    await alice.link.quiet("ERROR")


@ENVELOPE.must(
    "2.9-ack-unanswered",
    "an ACK is never answered with an ERROR",
    "drop ACK frames about what you do not know, without a word",
)
async def _ack_unanswered(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("ACK", {"msg_ref": "x-conform"})
    await alice.say("ACK", {})
    await alice.link.quiet("ERROR")


@ENVELOPE.must(
    "2.10-sig-empty",
    'a user\'s frame with sig "" is taken',
    "do not ask users for a sig outside bind/1",
)
async def _sig_empty(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {}, sig="")
    await alice.link.hears(*LISTS)


@ENVELOPE.must(
    "2.11-sig-absent",
    "a user's frame without sig is taken",
    "do not ask users for a sig outside bind/1",
)
async def _sig_absent(probe: Probe) -> None:
    alice = await probe.alice()
    members = alice.frame("LIST_REQUEST", {})
    del members["sig"]
    await alice.link.say(members)
    await alice.link.hears(*LISTS)


@ENVELOPE.should(
    "2.12-fractions-elsewhere",
    "a fraction in an unknown member is allowed",
    "refuse fractions only where an integer belongs",
)
async def _fractions_elsewhere(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {"x-conform": 1.5})
    await alice.link.hears(*LISTS)


@ENVELOPE.should(
    "2.13-sixteen-levels",
    "16 levels are read, the envelope being the first",
    f"take {FRAME_LEVELS} levels",
)
async def _sixteen_levels(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {"x-conform": _nested(FRAME_LEVELS - 2)})
    await alice.link.hears(*LISTS)


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


# --- strict JSON --------------------------------------------------------------------------------

_NOT_JSON: Final = {
    "2.20-no-json": ("a text that is no JSON", lambda text: text[:-1]),
    "2.21-no-object": ("a JSON text that is no object", lambda text: f"[{text}]"),
    "2.22-duplicate-member": (
        "a frame with a member twice",
        lambda text: text[:-1] + ',"type":"LIST_REQUEST"}',
    ),
    "2.23-duplicate-in-payload": (
        "a payload with a member twice",
        lambda text: text.replace('"payload": {', '"payload": {"a": 1, "a": 2, '),
    ),
    "2.24-nan": ("NaN", lambda text: text.replace('"x": 0', '"x": NaN')),
    "2.25-infinity": ("Infinity", lambda text: text.replace('"x": 0', '"x": Infinity')),
    "2.26-fraction-ts": (
        "a ts with a fraction",
        lambda text: text.replace(', "payload"', '.5, "payload"'),
    ),
    "2.27-exponent-ts": (
        "a ts with an exponent",
        lambda text: text.replace(', "payload"', 'e0, "payload"'),
    ),
    "2.28-huge-number": (
        "a number over 2^53 - 1",
        lambda text: text.replace('"x": 0', f'"x": {INTEGER_MAX + 1}'),
    ),
    "2.29-seventeen-levels": (
        "17 levels",
        lambda text: text.replace('"x": 0', f'"x": {json.dumps(_nested(FRAME_LEVELS - 1))}'),
    ),
    "2.30-lone-surrogate": (
        "a lone surrogate",
        lambda text: text.replace('"x": 0', '"x": "\\ud800"'),
    ),
    "2.31-too-many-values": (
        f"more than {FRAME_VALUES} values",
        lambda text: text.replace('"x": 0', f'"x": {[0] * (FRAME_VALUES + 1)}'),
    ),
    "2.32-payload-no-object": (
        "a payload that is a list",
        lambda text: text.replace('"payload": {"x": 0}', '"payload": []'),
    ),
    "2.33-no-type": ("a frame without type", lambda text: text.replace('"type"', '"typ"')),
    "2.34-ts-text": (
        "a ts that is a text",
        lambda text: text.replace('"ts": ', '"ts": "').replace(', "payload"', '", "payload"'),
    ),
    "2.35-no-to": ("a frame without to", lambda text: text.replace('"to"', '"t"')),
}


def _strict(rule_id: str, what: str, spoil: Any) -> None:
    level = ENVELOPE.must if "duplicate" in rule_id or "no-" in rule_id else ENVELOPE.should

    @level(
        rule_id,
        f"{what} is refused as BAD_FRAME",
        "parse strictly: what two parsers may read in two ways is BAD_FRAME, named",
    )
    async def _refused(probe: Probe) -> None:
        alice = await probe.alice()
        text = json.dumps(alice.frame("LIST_REQUEST", {"x": 0}))
        await alice.link.fault_turn()
        await alice.link.say_text(spoil(text))
        await _or_list(alice)


for _id, (_what, _spoil) in _NOT_JSON.items():
    _strict(_id, _what, _spoil)


async def _or_list(peer: Peer) -> None:
    """BAD_FRAME must come; a list says that the frame was taken."""
    came = await peer.link.hears("ERROR", *LISTS)
    if came.type in LISTS:
        raise Breach("it was taken as good, and answered by a list")
    code = came.get("code")
    if code != "BAD_FRAME":
        raise Dialect(f"it refuses with {code} in place of BAD_FRAME")


@ENVELOPE.should(
    "2.36-broken-utf8",
    "a text frame that is no UTF-8 is refused, or ends its link with 1007",
    "refuse broken UTF-8 (RFC 6455, 8.1)",
)
async def _broken_utf8(probe: Probe) -> None:
    carol = await probe.user("carol")
    text = json.dumps(carol.frame("LIST_REQUEST", {"x": "?"})).encode()
    await carol.link.say_bytes(text.replace(b"?", b"\xff"), aiohttp.WSMsgType.TEXT)
    try:
        came = await carol.link.hears("ERROR", *LISTS)
    except Breach:
        if carol.link.close_code is None:
            raise
        return
    if came.type in LISTS:
        raise Breach("it was taken as good, and answered by a list")


@ENVELOPE.should(
    "2.37-names-the-place",
    "the detail of BAD_FRAME names the member that is wrong",
    "say in detail what is wrong and where",
)
async def _names_the_place(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.link.fault_turn()
    await alice.link.say({**alice.frame("LIST_REQUEST", {}), "ts": "now"})
    error = await alice.link.hears("ERROR")
    if "ts" not in str(error.get("detail")):
        raise Breach(f"a ts that is a text is refused by {error.gist()}")


@ENVELOPE.should(
    "2.38-bad-frame-stays",
    "the link of a user stays up after BAD_FRAME",
    "do not close the link of a known peer over one frame",
)
async def _bad_frame_stays(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.link.say_text("{")
    await _is_answered(carol)


# --- times --------------------------------------------------------------------------------------


async def _timed(probe: Probe, off_ms: int) -> None:
    """A message that far from now must be refused, and not be delivered."""
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public, ts=now_ms() + off_ms)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    try:
        await refused(alice.link, "BAD_FRAME", ref=said.ref)
    finally:
        if bob.link.has("USER_DELIVER", where=said.is_delivered_by):
            raise Breach("it was delivered")


@ENVELOPE.must(
    "2.40-stale-ts",
    "a message of 6 minutes ago is refused",
    "refuse a ts outside now ± 5 min on what changes state",
)
async def _stale_ts(probe: Probe) -> None:
    await _timed(probe, -_TOO_LATE_MS)


@ENVELOPE.must(
    "2.41-future-ts",
    "a message of in 6 minutes is refused",
    "refuse a ts outside now ± 5 min on what changes state",
)
async def _future_ts(probe: Probe) -> None:
    await _timed(probe, _TOO_LATE_MS)


@ENVELOPE.should(
    "2.42-says-how-far",
    "that refusal says by how much the clock is off",
    "put the difference in seconds into detail: clients correct their clock by it",
)
async def _says_how_far(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public, ts=now_ms() - 1_000_000)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    error = await refused(alice.link, "BAD_FRAME", ref=said.ref)
    if "1000" not in str(error.get("detail")):
        raise Breach(f"a ts 1000 s behind is refused by {error.gist()}")


@ENVELOPE.must(
    "2.43-window",
    "a message of 4 minutes ago is taken",
    "take a ts within now ± 5 min",
)
async def _window(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public, ts=now_ms() - 240_000)
    await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)


# --- servers' signatures ------------------------------------------------------------------------


@ENVELOPE.must(
    "2.50-join-own-key",
    "a JOIN that its own pubkey did not sign is refused (INVALID_SIG)",
    "verify JOIN, LINK and ANNOUNCE under their own payload.pubkey, before anything else",
)
async def _join_own_key(probe: Probe) -> None:
    link = await probe.connect("north")
    who = await probe.identity("north")
    await say_first(
        link, who, "SERVER_HELLO_JOIN", server_hello(who), to="localhost:1", sig=who.key.sign(b"x")
    )
    came = await link.hears("ERROR", "SERVER_WELCOME")
    if came.type == "SERVER_WELCOME":
        raise Breach("it was welcomed")
    if came.get("code") != "INVALID_SIG":
        raise Dialect(f"it refuses with {came.get('code')} in place of INVALID_SIG")


@ENVELOPE.must(
    "2.51-server-sig",
    "a frame of a linked server that its key did not sign is refused (INVALID_SIG)",
    "verify every frame of a server under its pinned key",
    needs=[Need.SERVERS],
)
async def _server_sig(probe: Probe) -> None:
    east = await probe.east()
    await east.says_wrong("PUBKEY_REQUEST", {"user_id": east.id}, sig=east.who.key.sign(b"x"))
    await refused(east.link, "INVALID_SIG")


@ENVELOPE.must(
    "2.52-server-sig-absent",
    "a frame of a linked server without sig is refused (INVALID_SIG)",
    "verify every frame of a server under its pinned key",
    needs=[Need.SERVERS],
)
async def _server_sig_absent(probe: Probe) -> None:
    east = await probe.east()
    await east.says_wrong("PUBKEY_REQUEST", {"user_id": east.id}, sig="")
    await refused(east.link, "INVALID_SIG")
