"""Section 2: the envelope, strict JSON, times."""

from __future__ import annotations

from typing import Final

from socp.conform.expect import LISTS, refused, same, timely
from socp.conform.figures import FRAME_LEVELS, WINDOW_MS
from socp.conform.frames import now_ms
from socp.conform.peers import message, not_delivered, server_hello
from socp.conform.probe import Probe, say_first
from socp.conform.rule import Need, Section
from socp.conform.rules.strict_json import nested
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
    timely(carol.answer)


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
    await carol.say("LIST_REQUEST", {})
    await carol.link.hears(*LISTS)


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
    await alice.say("LIST_REQUEST", {"x-conform": nested(FRAME_LEVELS - 2)})
    await alice.link.hears(*LISTS)


# --- times --------------------------------------------------------------------------------------


async def _timed(probe: Probe, off_ms: int) -> None:
    """A message that far from now must be refused, and not be delivered."""
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public, ts=now_ms() + off_ms)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    try:
        await refused(alice.link, "BAD_FRAME", ref=said.ref)
    finally:
        not_delivered(bob, said)


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


def _own_key(rule_id: str, what: str, kind: str) -> None:
    @ENVELOPE.must(
        rule_id,
        f"{what} that its own pubkey did not sign is refused (INVALID_SIG)",
        "verify JOIN, LINK and ANNOUNCE under their own payload.pubkey, before anything else",
    )
    async def _refused(probe: Probe) -> None:
        who = await probe.identity("north")
        link = await probe.connect("north")
        to = "localhost:1" if kind.endswith("JOIN") else "*"
        await say_first(link, who, kind, server_hello(who), to=to, sig=who.key.sign(b"x"))
        came = await link.hears_or_ends("ERROR", "SERVER_WELCOME", "ACK")
        if came is None:
            raise Dialect(f"it closes the link ({link.close_code}) and sends no ERROR")
        if came.type != "ERROR":
            raise Breach(f"it was taken: {came.gist()}")
        if came.get("code") != "INVALID_SIG":
            raise Dialect(f"it refuses with {came.get('code')} in place of INVALID_SIG")


_own_key("2.50-join-own-key", "a JOIN", "SERVER_HELLO_JOIN")
_own_key("2.53-link-own-key", "a LINK", "SERVER_HELLO_LINK")
_own_key("2.54-announce-own-key", "an ANNOUNCE", "SERVER_ANNOUNCE")


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
