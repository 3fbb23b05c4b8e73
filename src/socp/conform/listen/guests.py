"""Rules for any guest: what its hello says, and what it does about frames that are odd."""

from __future__ import annotations

from typing import Final

from socp.conform import preimages
from socp.conform.canonical import canonical, unb64
from socp.conform.expect import same, signed_form, timely
from socp.conform.figures import NONCE_BYTES, SALT_MAX_BYTES, SALT_SHORT_BYTES, UUID4
from socp.conform.listen.visit import Visit
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

GUESTS: Final[Section[Visit]] = Section()
_MEMBERS: Final[dict[str, type]] = {
    "type": str,
    "from": str,
    "to": str,
    "ts": int,
    "payload": dict,
}


# --- its hello ----------------------------------------------------------------------------------


@GUESTS.must(
    "1.50-hello-first",
    "the first frame is a hello",
    "say USER_HELLO, or the hello of a server, before anything else",
)
async def _hello_first(visit: Visit) -> None:
    same("the first frame", visit.house.said[0].type, visit.house.hellos[0].type)


@GUESTS.must(
    "2.60-members",
    "its frames have type, from, to, ts and payload, each of its kind",
    "send all members of the envelope",
)
async def _members(visit: Visit) -> None:
    for frame in visit.house.said:
        for name, kind in _MEMBERS.items():
            if type(frame.members.get(name)) is not kind and frame.type != "CTRL_CLOSE":
                raise Breach(f"{frame.type}: {name} is {frame.members.get(name)!r:.60}")


@GUESTS.must(
    "2.61-unix-ms",
    "its ts is in Unix milliseconds and within 5 minutes of now",
    "write Unix time in milliseconds, and correct your clock by the server's answer",
)
async def _unix_ms(visit: Visit) -> None:
    timely(visit.hello)


@GUESTS.must(
    "2.62-same-from",
    "from is the same id in all its frames",
    "put your own id into from of every frame that is yours",
)
async def _same_from(visit: Visit) -> None:
    for frame in visit.house.said:
        if frame.type in ("USER_ADVERTISE", "USER_REMOVE", "CTRL_CLOSE"):
            continue  # a server passes on what others say
        same(f"from of {frame.type}", frame.members.get("from"), visit.id)


@GUESTS.must(
    "3.50-key",
    "its key is RSA-4096 with exponent 65537",
    "make an RSA-4096 key with e = 65537",
)
async def _key(visit: Visit) -> None:
    _ = visit.key


@GUESTS.must(
    "3.51-key-text",
    "it is written as base64url of the DER SubjectPublicKeyInfo, without padding",
    "write keys as base64url of the DER, no padding, no PEM",
)
async def _key_text(visit: Visit) -> None:
    if form := visit.key.form:
        raise Dialect(form)


@GUESTS.must(
    "4.50-id",
    "its id is a UUID v4 in lower case",
    "make a UUID v4 once, keep it, and write it in lower case",
)
async def _id(visit: Visit) -> None:
    if UUID4.match(visit.id) is None:
        if UUID4.match(visit.id.removeprefix("server_")):
            raise Dialect("server_<uuid>")
        raise Breach(f"the id is {visit.id!r:.60}")


@GUESTS.must(
    "4.51-same-identity",
    "it comes back with the same id and key",
    "keep id and key on the disk",
)
async def _same_identity(visit: Visit) -> None:
    before = len(visit.house.hellos)
    await (await visit.guest()).link.close(1001)
    await visit.guest()
    if len(visit.house.hellos) <= before:
        raise Unjudged("it did not come again")
    first, last = visit.house.hellos[0], visit.house.hellos[-1]
    same("from", last.members.get("from"), first.members.get("from"))
    same("pubkey", last.get("pubkey"), first.get("pubkey"))


# --- its signatures -----------------------------------------------------------------------------


@GUESTS.must(
    "3.52-sig",
    "the sig of its hello is RSASSA-PSS over the canonical payload",
    "json.dumps(payload, sort_keys=True, separators=(',', ':')), signed by RSASSA-PSS with SHA-256",
)
async def _sig(visit: Visit) -> None:
    if visit.is_user and not visit.hello.sig:
        raise Dialect("no sig, which users may leave out; some servers require one")
    form = signed_form(visit.key, visit.hello)
    if "UTF-8" in form:
        raise Dialect("it signs the raw UTF-8 form, which six others do too")
    if form:
        raise Breach(f"what is signed is {form}")


@GUESTS.should(
    "3.53-salt",
    "with the maximal salt, 478 bytes",
    "use the maximal salt: most others verify only that",
)
async def _salt(visit: Visit) -> None:
    if not visit.hello.sig:
        raise Unjudged("its hello has no sig")
    salt = visit.key.salt_of(visit.hello.sig, canonical(visit.hello.payload))
    if salt == SALT_SHORT_BYTES:
        raise Dialect("a salt of 32 bytes, as five others")
    if salt != SALT_MAX_BYTES:
        raise Unjudged("the sig does not cover the canonical payload: see 3.52-sig")


# --- its proof ----------------------------------------------------------------------------------


@GUESTS.extension(
    "11.70-auth-nonce",
    "a hello with link-auth/1 has an auth_nonce of 32 bytes, another one each time",
    "take 32 fresh random bytes for each hello",
)
async def _auth_nonce(visit: Visit) -> None:
    visit.check_announces("link-auth/1")
    nonces = [str(hello.get("auth_nonce")) for hello in visit.house.hellos]
    for nonce in nonces:
        try:
            same("its length", len(unb64(nonce)), NONCE_BYTES)
        except ValueError as fault:
            raise Breach("auth_nonce is no base64url") from fault
    if len(set(nonces)) < len(nonces):
        raise Breach("two hellos have one auth_nonce")


@GUESTS.extension(
    "11.71-proof",
    "AUTH_PROOF holds over the nonce of the challenge",
    'sign "socp-link-auth/1" || own_id || peer_id || nonce',
)
async def _proof(visit: Visit) -> None:
    visit.check_announces("link-auth/1")
    proof, house = visit.house.proof, visit.house
    if proof is None:
        raise Breach("no AUTH_PROOF came")
    text = preimages.link_auth(visit.id, house.who.id, house.nonce)
    if not visit.key.signed(str(proof.get("proof")), text):
        raise Breach("its proof does not hold")


@GUESTS.extension(
    "11.72-attach",
    "a user's AUTH_PROOF has an attach that holds",
    'sign "socp-attach/1" || user_id || server_id || ts || SHA-256(canonical({"features": ...}))',
)
async def _attach(visit: Visit) -> None:
    visit.check_announces("link-auth/1")
    if not visit.is_user:
        raise Unjudged("servers have none")
    attach = visit.house.proof.get("attach") if visit.house.proof else None
    if not isinstance(attach, dict) or type(attach.get("ts")) is not int:
        raise Breach(f"attach is {attach!r:.60}")
    features = [str(each) for each in visit.hello.get("features")]
    text = preimages.attach(visit.id, visit.house.who.id, attach["ts"], features)
    if not visit.key.signed(str(attach.get("sig")), text):
        raise Breach("its sig does not hold")


# --- what it does about odd frames --------------------------------------------------------------


@GUESTS.must(
    "1.51-pong",
    "a ping is answered by a pong",
    "answer pings (RFC 6455, 5.5.2): silence is taken for death",
)
async def _pong(visit: Visit) -> None:
    await (await visit.guest()).link.is_answered()


@GUESTS.must(
    "2.63-unknown-type",
    "an unknown type does not end the link",
    "ignore types that you do not know, or answer UNKNOWN_TYPE",
)
async def _unknown_type(visit: Visit) -> None:
    await (await visit.guest()).say("X_CONFORM", {"x": 1}, to=visit.id)
    await visit.stays()


@GUESTS.must(
    "2.64-unknown-members",
    "unknown members do not end the link",
    "take frames and payloads with members you do not know",
)
async def _unknown_members(visit: Visit) -> None:
    guest = await visit.guest()
    payload = {**visit.house.advert(), "x-conform": {"deep": [1.5]}}
    await guest.link.say({**guest.frame("USER_ADVERTISE", payload), "x-conform": 1})
    await visit.stays()


@GUESTS.must(
    "2.65-error-unanswered",
    "an ERROR is not answered with an ERROR",
    "show an ERROR, and answer nothing",
)
async def _error_unanswered(visit: Visit) -> None:
    guest = await visit.guest()
    await guest.say("ERROR", {"code": "X_CONFORM", "detail": "nothing of yours"}, to=visit.id)
    await guest.link.quiet("ERROR")


@GUESTS.must(
    "2.66-ack-unanswered",
    "an ACK about nothing is not answered with an ERROR",
    "drop an ACK whose msg_ref you do not know",
)
async def _ack_unanswered(visit: Visit) -> None:
    guest = await visit.guest()
    await guest.say("ACK", {"msg_ref": "x-conform"}, to=visit.id)
    await guest.link.quiet("ERROR")


_GARBAGE: Final = {
    "2.70-no-json": ("a text that is no JSON", "{"),
    "2.71-no-object": ("a JSON text that is no object", "[]"),
    "2.72-no-envelope": ("an object without an envelope", '{"hello":1}'),
    "2.73-deep": ("a thousand levels", "[" * 1_000 + "]" * 1_000),
    "2.74-null-payload": (
        "a payload that is null",
        '{"type":"USER_DELIVER","from":"x","to":"y","ts":1,"payload":null,"sig":""}',
    ),
}


def _survives(rule_id: str, what: str, text: str) -> None:
    @GUESTS.must(
        rule_id,
        f"{what} does not kill it",
        "refuse what you cannot read; leaving and coming back is allowed, dying is not",
    )
    async def _garbage(visit: Visit) -> None:
        await (await visit.guest()).link.say_text(text)
        await visit.comes_back()


for _rule, (_what, _text) in _GARBAGE.items():
    _survives(_rule, _what, _text)


@GUESTS.must(
    "5.80-comes-back",
    "it comes back when the server goes away (1001)",
    "connect again, with a pause that grows",
)
async def _comes_back(visit: Visit) -> None:
    before = visit.house.visits
    await (await visit.guest()).link.close(1001)
    await visit.guest()
    if visit.house.visits <= before:
        raise Breach("it did not come back")
