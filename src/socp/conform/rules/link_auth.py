"""Section 11: `link-auth/1` and `bind/1`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from socp.conform import preimages
from socp.conform.cast import Identity
from socp.conform.expect import LISTS, bytes_of, list_of, of_user, refused, same, text_of
from socp.conform.figures import NONCE_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.link import Link, Where
from socp.conform.peers import Peer, message, server_hello, user_hello
from socp.conform.probe import Probe, proof_payload, say_first, turned_away
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach

LINK_AUTH: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="link-auth/1")
BIND: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="bind/1")
PROVES: Final = ("link-auth/1",)
BOUND: Final = ("link-auth/1", "bind/1")


async def challenged(
    probe: Probe, name: str, nonce: bytes | None = None, *, features: Sequence[str] = PROVES
) -> tuple[Link, Identity, Frame]:
    """A user who said hello with an auth_nonce, and the challenge that came."""
    probe.check_may_prove()
    who = await probe.identity(name)
    link = await probe.connect(name)
    given = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
    hello = user_hello(who, features=features, nonce=given)
    await say_first(link, who, "USER_HELLO", hello)
    first = await link.hears("AUTH_CHALLENGE", "ACK", "USER_ADVERTISE", "ERROR")
    if first.type != "AUTH_CHALLENGE":
        raise Breach(f"a hello with link-auth/1 is answered by {first.gist()}")
    return link, who, first


async def proving_user(
    probe: Probe, name: str, features: tuple[str, ...] = PROVES, **hello: Any
) -> Peer:
    """A user who proved the key."""
    probe.check_may_prove()
    return await probe.user(name, features=features, **hello)


@LINK_AUTH.extension(
    "11.1-challenge",
    "a hello with auth_nonce is answered by AUTH_CHALLENGE before anything else",
    "say AUTH_CHALLENGE {nonce, server_id, pubkey, features}, and nothing before it",
)
async def _challenge(probe: Probe) -> None:
    _, _, challenge = await challenged(probe, "dan")
    for name in ("nonce", "server_id", "pubkey"):
        text_of(challenge, name)
    if "link-auth/1" not in list_of(challenge, "features"):
        raise Breach("its features lack link-auth/1")


@LINK_AUTH.extension(
    "11.2-nonce",
    "the nonce is 32 bytes, and another one each time",
    "take 32 fresh random bytes for each challenge",
)
async def _nonce(probe: Probe) -> None:
    seen = set()
    for _ in range(2):
        _, _, challenge = await challenged(probe, "dan")
        nonce = text_of(challenge, "nonce")
        same("its length", len(bytes_of(challenge, "nonce")), NONCE_BYTES)
        seen.add(nonce)
    if len(seen) < 2:
        raise Breach("two challenges have one nonce")


@LINK_AUTH.extension(
    "11.3-own-proof",
    "after a good proof the ACK has the server's own proof over our auth_nonce",
    'sign "socp-link-auth/1" || own_id || peer_id || auth_nonce',
)
async def _own_proof(probe: Probe) -> None:
    nonce = secrets.token_bytes(NONCE_BYTES)
    link, who, challenge = await challenged(probe, "dan", nonce)
    await say_first(link, who, "AUTH_PROOF", proof_payload(who, challenge, PROVES, user=True))
    ack = await link.hears("ACK", "ERROR")
    if ack.type == "ERROR":
        raise Breach(f"a good proof was refused: {ack.gist()}")
    peer = Peer(who, link, ack)
    text = preimages.link_auth(peer.server_id, who.id, nonce)
    if not peer.server_key.signed(text_of(ack, "proof"), text):
        raise Breach("its proof does not hold")


_PROOFS: Final = {
    "11.4-wrong-proof": "a proof over another nonce",
    "11.5-empty-proof": "an empty proof",
    "11.6-no-proof": "an AUTH_PROOF without proof",
}


def _no_good(rule_id: str, what: str) -> None:
    @LINK_AUTH.extension(
        rule_id,
        f"{what} is refused (INVALID_SIG), and the link closed",
        "answer by ERROR INVALID_SIG and close",
    )
    async def _refused(probe: Probe) -> None:
        link, who, challenge = await challenged(probe, "dan")
        payload = proof_payload(who, challenge, PROVES, user=True)
        if "another" in what:
            server_id = str(challenge.get("server_id"))
            text = preimages.link_auth(who.id, server_id, secrets.token_bytes(NONCE_BYTES))
            payload["proof"] = who.key.sign(text)
        elif "empty" in what:
            payload["proof"] = ""
        else:
            del payload["proof"]
        await say_first(link, who, "AUTH_PROOF", payload)
        await refused(link, "INVALID_SIG", ref="USER_HELLO")
        await link.ends()


for _id, _what in _PROOFS.items():
    _no_good(_id, _what)


def _said_since(challenge: Frame, who: Identity) -> Where:
    """About them, by the server's own clock not before it challenged them: what it said when they
    were there before may come late."""
    since = challenge.ts if isinstance(challenge.ts, int) else 0
    return lambda frame: of_user(who.id)(frame) and isinstance(frame.ts, int) and frame.ts >= since


@LINK_AUTH.extension(
    "11.7-nothing-before-proof",
    "before the proof nothing is handed out, and nobody hears of the newcomer",
    "attach a user only when AUTH_PROOF holds",
)
async def _nothing_before(probe: Probe) -> None:
    alice = await probe.alice()
    link, who, challenge = await challenged(probe, "dan")
    await alice.link.quiet("USER_ADVERTISE", where=_said_since(challenge, who))
    if link.heard:
        raise Breach(f"{link.heard[0].gist()} came before AUTH_PROOF")


@LINK_AUTH.extension(
    "11.8-proof-first",
    "any other frame before AUTH_PROOF is refused (NOT_ALLOWED), and the link closed",
    "take AUTH_PROOF alone from who is challenged",
)
async def _proof_first(probe: Probe) -> None:
    link, who, _ = await challenged(probe, "dan")
    await say_first(link, who, "LIST_REQUEST", {})
    await refused(link, "NOT_ALLOWED")
    await link.ends()


@LINK_AUTH.extension(
    "11.9-auth-nonce",
    "an auth_nonce that has not 32 bytes is refused (BAD_FRAME)",
    "check the length of auth_nonce",
)
async def _auth_nonce(probe: Probe) -> None:
    who = await probe.identity("dan")
    link = await probe.connect("dan")
    await say_first(link, who, "USER_HELLO", user_hello(who, features=PROVES, nonce=b"short"))
    await refused(link, "BAD_FRAME")


@LINK_AUTH.extension(
    "11.10-no-downgrade",
    "who proved the key once is refused without a proof afterwards",
    "remember who proved what, and refuse a hello that lacks it (NOT_ALLOWED)",
)
async def _no_downgrade(probe: Probe) -> None:
    dan = await proving_user(probe, "dan")
    await dan.link.close()
    await turned_away(probe.attached(await probe.connect("dan, bare"), dan.who))


@LINK_AUTH.extension(
    "11.11-attach-repeated",
    "a valid attach is repeated in USER_ADVERTISE, with the features it covers",
    "put attach and features of the user into USER_ADVERTISE",
)
async def _attach_repeated(probe: Probe) -> None:
    alice = await probe.alice()
    dan = await proving_user(probe, "dan")
    advert = await alice.link.hears("USER_ADVERTISE", where=of_user(dan.id))
    attach = advert.get("attach")
    if not isinstance(attach, dict) or type(attach.get("ts")) is not int:
        raise Breach(f"attach is {attach!r:.60}")
    features = [str(each) for each in list_of(advert, "features")]
    text = preimages.attach(dan.id, dan.server_id, attach["ts"], features)
    if not dan.who.key.public.signed(str(attach.get("sig")), text):
        raise Breach("the attach does not hold for the features beside it")


@LINK_AUTH.extension(
    "11.12-bad-attach",
    "a proof with an attach that does not hold is taken, and nothing is repeated",
    "drop an attach that does not verify",
)
async def _bad_attach(probe: Probe) -> None:
    alice = await probe.alice()
    link, who, challenge = await challenged(probe, "dan")
    payload = proof_payload(who, challenge, PROVES, user=True)
    payload["attach"] = {"ts": now_ms(), "sig": who.key.sign(b"x")}
    await say_first(link, who, "AUTH_PROOF", payload)
    await link.hears("ACK")
    advert = await alice.link.hears("USER_ADVERTISE", where=_said_since(challenge, who))
    if advert.get("attach"):
        raise Breach("USER_ADVERTISE repeats it")


@LINK_AUTH.extension(
    "11.13-live-link-stays",
    "a proven newcomer does not displace a link that answers a ping",
    "ping the old link for 5 s; where it answers, NAME_IN_USE",
)
async def _live_link_stays(probe: Probe) -> None:
    dan = await proving_user(probe, "dan")
    again = probe.attached(await probe.connect("dan again"), dan.who, features=PROVES)
    await turned_away(again, "NAME_IN_USE")
    await dan.say("LIST_REQUEST", {})
    await dan.link.hears(*LISTS)


@LINK_AUTH.extension(
    "11.14-dead-link-goes",
    "a proven newcomer replaces a link that answers no ping within 5 s",
    "replace the old link where the newcomer proved the same key",
    waits_s=15,
)
async def _dead_link_goes(probe: Probe) -> None:
    probe.check_may_prove()
    who = await probe.identity("dead")
    dead = await probe.connect("dead", autoping=False)
    await probe.attached(dead, who, features=PROVES)
    link = await probe.connect("dead, again")
    hello = user_hello(who, features=PROVES, nonce=secrets.token_bytes(NONCE_BYTES))
    await say_first(link, who, "USER_HELLO", hello)
    challenge = await link.hears("AUTH_CHALLENGE")
    await say_first(link, who, "AUTH_PROOF", proof_payload(who, challenge, PROVES, user=True))
    came = await link.hears("ACK", "ERROR", within_s=12)
    same("the answer", came.type, "ACK")


@LINK_AUTH.extension(
    "11.15-server-challenged",
    "a JOIN with auth_nonce is challenged, and welcomed with the server's own proof",
    "challenge servers as users; put your proof into SERVER_WELCOME",
    needs=[Need.SERVERS],
)
async def _server_challenged(probe: Probe) -> None:
    probe.check_may_prove()
    nonce = secrets.token_bytes(NONCE_BYTES)
    who = await probe.identity("proud")
    link = await probe.connect("proud")
    hello = server_hello(who, features=PROVES, nonce=nonce)
    await say_first(link, who, "SERVER_HELLO_JOIN", hello, to="localhost:1")
    challenge = await link.hears("AUTH_CHALLENGE")
    await say_first(link, who, "AUTH_PROOF", proof_payload(who, challenge, PROVES, user=False))
    welcome = await link.hears("SERVER_WELCOME")
    peer = Peer(who, link, welcome)
    text = preimages.link_auth(peer.server_id, who.id, nonce)
    if not peer.server_key.signed(text_of(welcome, "proof"), text):
        raise Breach("the proof in SERVER_WELCOME does not hold")


# --- bind/1 -------------------------------------------------------------------------------------


def binds(frame: Frame) -> None:
    """Raises Breach where bind is not what the envelope says."""
    due = {name: frame.members.get(name) for name in ("type", "from", "to", "ts")}
    same(f"bind of {frame.type}", frame.get("bind"), due)


@BIND.extension(
    "11.20-bound-frames",
    "frames of the server on a bound link carry bind, equal to their envelope",
    "put bind {type, from, to, ts} into each payload that you sign for the link",
)
async def _bound_frames(probe: Probe) -> None:
    dora = await proving_user(probe, "dora", BOUND)
    await dora.say("LIST_REQUEST", {})
    binds(dora.answer)
    binds(await dora.link.hears(*LISTS))


@BIND.extension(
    "11.21-bound-delivery",
    "so does USER_DELIVER, with the author's ts",
    "put bind into USER_DELIVER for a bound link",
)
async def _bound_delivery(probe: Probe) -> None:
    alice, dora = await probe.alice(), await proving_user(probe, "dora", BOUND)
    said = message(alice.who, dora.id, dora.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=dora.id, ts=said.ts)
    binds(await dora.link.hears("USER_DELIVER", where=said.is_delivered_by))


async def _unbound(probe: Probe, payload: dict[str, Any], **changed: Any) -> None:
    """This LIST_REQUEST must be refused on a bound link."""
    dora = await proving_user(probe, "dora", BOUND)
    members = dora.frame("LIST_REQUEST", payload, **changed)
    if "bind/1" not in dora.features:
        raise Breach("its ACK does not announce bind/1, and AUTH_CHALLENGE did")
    if not payload:
        del members["payload"]["bind"]
    await dora.link.say(members)
    came = await dora.link.hears("ERROR", *LISTS)
    if came.type in LISTS:
        raise Breach("it was answered by a list")
    same("the code", came.get("code"), "INVALID_SIG")


@BIND.extension(
    "11.22-bind-missing",
    "a user's frame without bind is refused on a bound link (INVALID_SIG)",
    "require bind of what is neither MSG_* nor FILE_*",
)
async def _bind_missing(probe: Probe) -> None:
    await _unbound(probe, {})


@BIND.extension(
    "11.23-bind-of-another-type",
    "a bind of another type is refused (INVALID_SIG)",
    "compare type, from, to and ts of bind with the envelope",
)
async def _bind_other_type(probe: Probe) -> None:
    who = await probe.identity("dora")
    bind = {"type": "PUBKEY_REQUEST", "from": who.id, "to": "*", "ts": now_ms()}
    await _unbound(probe, {"bind": bind}, ts=bind["ts"])


@BIND.extension(
    "11.24-bound-needs-sig",
    "a user's frame without a valid sig is refused on a bound link (INVALID_SIG)",
    "verify sig of what is neither MSG_* nor FILE_*",
)
async def _bound_needs_sig(probe: Probe) -> None:
    who, ts = await probe.identity("dora"), now_ms()
    bind = {"type": "LIST_REQUEST", "from": who.id, "to": "*", "ts": ts}
    await _unbound(probe, {"bind": bind}, ts=ts, sig="")


@BIND.extension(
    "11.25-message-needs-none",
    "a MSG_DIRECT needs neither sig nor bind there",
    "content_sig speaks for MSG_* and FILE_*",
)
async def _message_needs_none(probe: Probe) -> None:
    bob, dora = await probe.bob(), await proving_user(probe, "dora", BOUND)
    said = message(dora.who, bob.id, bob.who.key.public)
    envelope = {"type": "MSG_DIRECT", "from": dora.id, "to": bob.id, "ts": said.ts}
    await dora.link.say({**envelope, "payload": said.payload, "sig": ""})
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)


@BIND.extension(
    "11.26-bind-must-fit",
    "a bind that does not fit is refused on a plain link too",
    "where bind is present it must equal the envelope",
)
async def _bind_must_fit(probe: Probe) -> None:
    alice = await probe.alice()
    bind = {"type": "PUBKEY_REQUEST", "from": alice.id, "to": "*", "ts": now_ms()}
    await alice.says_wrong("LIST_REQUEST", {"bind": bind})
    came = await alice.link.hears("ERROR", *LISTS)
    if came.type in LISTS:
        raise Breach("it was answered by a list")
