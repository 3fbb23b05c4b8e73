"""Section 11: `fast-sig/1`, what session keys sign: by the server, and of ours."""

from __future__ import annotations

from typing import Final

from socp.conform.cast import new_id
from socp.conform.expect import LISTS, about, of_user, refused, same, signed_form
from socp.conform.frames import Frame
from socp.conform.link import Where
from socp.conform.peers import Message, Peer, message, not_delivered
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.channel import is_share, known_version, share
from socp.conform.rules.delivery import deliver
from socp.conform.rules.fast_sig import CERTIFIED, FAST, agreed, hop, stated_to
from socp.conform.rules.link_auth import binds
from socp.conform.rules.mailbox import reader_who_keeps, taken
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.sessions import ED, OwnSession, Session, new_session
from socp.conform.verdicts import Breach, Unjudged

FAST_FRAMES: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="fast-sig/1")
_KEEPS: Final = (*FAST, "mailbox/1")
_TAKEN: Final = "11.221-delivery-taken"


# --- what the server signs ----------------------------------------------------------------------


def _is_of_hop(peer: Peer, theirs: Session, frame: Frame) -> None:
    """Raises Breach where neither the session key nor the own key signed this for this peer. The
    own key's signature counts on every link."""
    if not frame.sig.startswith(ED):
        signed_form(peer.server_key, frame)
        return
    if not theirs.signed(frame):
        raise Breach(f"the sig of {frame.type} is not by the session key it stated")
    binds(frame)
    same(f"to of {frame.type}", frame.members.get("to"), peer.id)


@FAST_FRAMES.extension(
    "11.210-answers-signed",
    "answers on a link that agreed verify by the session key, or by the own key",
    'sign "socp-frame/1" || canonical(payload) with the session key, as "ed:" and 86 characters;'
    " bind says the receiver's own id",
    rests_on=CERTIFIED,
)
async def _answers_signed(probe: Probe) -> None:
    flo, _ = await agreed(probe)
    theirs = stated_to(flo)
    await flo.say("LIST_REQUEST", {})
    _is_of_hop(flo, theirs, await flo.link.hears(*LISTS))
    await flo.say("PUBKEY_REQUEST", {"user_id": flo.id}, to=flo.server_id)
    _is_of_hop(flo, theirs, await flo.link.hears("PUBKEY_RESPONSE"))
    await flo.says_wrong("PUBKEY_REQUEST", {"user_id": new_id()}, to=flo.server_id)
    _is_of_hop(flo, theirs, await flo.link.hears("ERROR"))


@FAST_FRAMES.extension(
    "11.211-delivery-signed",
    "so does USER_DELIVER, and the ACK of a message",
    "sign what goes over this link alone with the session key you stated on it, or with the own"
    " key",
    rests_on=CERTIFIED,
)
async def _delivery_signed(probe: Probe) -> None:
    alice = await probe.alice()
    flo, _ = await agreed(probe)
    theirs = stated_to(flo)
    said = message(alice.who, flo.id, flo.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=flo.id, ts=said.ts)
    _is_of_hop(flo, theirs, await flo.link.hears("USER_DELIVER", where=said.is_delivered_by))
    answer = message(flo.who, alice.id, alice.who.key.public)
    await flo.say("MSG_DIRECT", answer.payload, to=alice.id, ts=answer.ts)
    _is_of_hop(flo, theirs, await flo.link.hears("ACK"))


@FAST_FRAMES.extension(
    "11.212-server-delivery-signed",
    "so does SERVER_DELIVER to a server",
    "use one session key for all links, and bind each frame to its receiver",
    needs=[Need.SERVERS],
)
async def _server_delivery_signed(probe: Probe) -> None:
    alice, fred = await probe.alice(), await foreigner(probe)
    fritz, _ = await agreed(probe, "fritz", server=True)
    theirs = stated_to(fritz)
    await advertised(probe, fritz, fred)
    said = message(alice.who, fred.id, fred.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=fred.id, ts=said.ts)
    came = await fritz.link.hears("SERVER_DELIVER", where=said.is_delivered_by)
    _is_of_hop(fritz, theirs, came)
    await gone(fritz, fred)


@FAST_FRAMES.extension(
    "11.213-presence-own-key",
    "presence is signed by the own key on such a link too",
    "never sign USER_ADVERTISE and USER_REMOVE with a session key: they travel on, and must count"
    " there",
)
async def _presence_own_key(probe: Probe) -> None:
    flo, _ = await agreed(probe)
    carol = await probe.user("carol")
    came = await flo.link.hears("USER_ADVERTISE", where=of_user(carol.id))
    await carol.link.close()
    left = await flo.link.hears("USER_REMOVE", where=of_user(carol.id))
    for frame in (came, left):
        if frame.sig.startswith(ED):
            raise Breach(f"a session key signed {frame.type}")
        signed_form(flo.server_key, frame)


@FAST_FRAMES.extension(
    "11.214-share-own-key",
    "no session key signs a key share of the public channel, nor the news of it",
    "never sign PUBLIC_CHANNEL_* frames with a session key",
    needs=[Need.THROW_AWAY],
)
async def _share_own_key(probe: Probe) -> None:
    alice = await probe.alice()
    flo, _ = await agreed(probe)
    payload = share(alice, flo, await known_version(probe))
    await alice.say("PUBLIC_CHANNEL_KEY_SHARE", payload)
    passed = await flo.link.hears("PUBLIC_CHANNEL_KEY_SHARE", where=is_share(payload))
    told = await flo.link.hears(
        "PUBLIC_CHANNEL_UPDATED", where=lambda frame: bool(frame.get("wraps"))
    )
    for frame in (passed, told):
        if frame.sig.startswith(ED):
            raise Breach(f"a session key signed {frame.type}")


# --- what we sign -------------------------------------------------------------------------------


def _is_told(said: Message) -> Where:
    """The author's ACK that the reader has it."""
    ref = about(said.ref)
    return lambda frame: ref(frame) and frame.get("status") == "delivered"


async def _acknowledged(probe: Probe, reader: Peer, own: OwnSession) -> tuple[Peer, Message, Frame]:
    """The reader's ACK, signed by this session key, of what alice said."""
    alice = await probe.alice()
    said = message(alice.who, reader.id, reader.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=reader.id, ts=said.ts)
    frame = await reader.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await reader.link.say(hop(reader, own, "ACK", {"msg_ref": said.ref}))
    return alice, said, frame


async def _told_nothing(probe: Probe, reader: Peer, own: OwnSession) -> None:
    """Such an ACK must count for nothing; one by the own key takes the mail then."""
    alice, said, frame = await _acknowledged(probe, reader, own)
    try:
        await alice.link.quiet("ACK", where=_is_told(said))
    finally:
        await taken(reader, frame)
    await alice.link.hears("ACK", where=_is_told(said))


def _needs_mailbox(probe: Probe) -> None:
    if "mailbox/1" not in probe.world.features:
        raise Unjudged("the server does not announce mailbox/1: what became of an ACK is not seen")


@FAST_FRAMES.extension(
    "11.220-ack-taken",
    "an ACK of a user signed by the session key in AUTH_PROOF counts: the author hears delivered",
    'verify "ed:" by the session key of the link, over "socp-frame/1" || canonical(payload)',
)
async def _ack_taken(probe: Probe) -> None:
    _needs_mailbox(probe)
    mia, own = await agreed(probe, "mia", features=_KEEPS)
    alice, said, _ = await _acknowledged(probe, mia, own)
    await alice.link.hears("ACK", where=_is_told(said))


async def _said_abroad(probe: Probe, fritz: Peer) -> Message:
    """What a user of fritz's has to say to bob."""
    fred, bob = await foreigner(probe), await probe.bob()
    await advertised(probe, fritz, fred)
    return message(fred, bob.id, bob.who.key.public)


@FAST_FRAMES.extension(
    _TAKEN,
    "a SERVER_DELIVER signed by the session key of its server is delivered",
    'verify "ed:" by the session key in AUTH_PROOF of that server',
    needs=[Need.SERVERS],
)
async def _delivery_taken(probe: Probe) -> None:
    bob = await probe.bob()
    fritz, own = await agreed(probe, "fritz", server=True)
    said = await _said_abroad(probe, fritz)
    await fritz.link.say(hop(fritz, own, "SERVER_DELIVER", deliver(said), ts=said.ts))
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await gone(fritz, said.author)


@FAST_FRAMES.extension(
    "11.222-message-taken",
    "a MSG_DIRECT signed by the session key of its author is delivered",
    "content_sig speaks for MSG_*; take them whatever their sig is",
)
async def _message_taken(probe: Probe) -> None:
    bob = await probe.bob()
    flo, own = await agreed(probe)
    said = message(flo.who, bob.id, bob.who.key.public)
    await flo.link.say(hop(flo, own, "MSG_DIRECT", said.payload, to=bob.id, ts=said.ts))
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)


@FAST_FRAMES.extension(
    "11.223-question-refused",
    "a LIST_REQUEST signed by a session key is refused (INVALID_SIG)",
    "take the session key's signature for the types of section 11 alone",
)
async def _question_refused(probe: Probe) -> None:
    flo, own = await agreed(probe)
    await flo.link.say(hop(flo, own, "LIST_REQUEST", {}))
    came = await flo.link.hears("ERROR", *LISTS)
    if came.type in LISTS:
        raise Breach("it was answered by a list")
    same("the code", came.get("code"), "INVALID_SIG")


@FAST_FRAMES.extension(
    "11.224-unagreed-ack",
    "an ACK signed by a session key counts for nothing on a link that did not agree",
    "where AUTH_PROOF had no session, the own key's signature is the only one",
)
async def _unagreed_ack(probe: Probe) -> None:
    _needs_mailbox(probe)
    mara = await reader_who_keeps(probe)
    await _told_nothing(probe, mara, new_session(mara.who))


@FAST_FRAMES.extension(
    "11.225-another-session-key",
    "nor does one signed by a session key that was not stated on the link",
    "believe the session key in AUTH_PROOF and those of SESSION_KEY, and no other",
)
async def _another_session_key(probe: Probe) -> None:
    _needs_mailbox(probe)
    mia, _ = await agreed(probe, "mia", features=_KEEPS)
    await _told_nothing(probe, mia, new_session(mia.who))


async def _not_delivered(probe: Probe, fritz: Peer, own: OwnSession, to: str) -> None:
    bob, said = await probe.bob(), await _said_abroad(probe, fritz)
    await fritz.link.fault_turn()
    await fritz.link.say(hop(fritz, own, "SERVER_DELIVER", deliver(said), ts=said.ts, to=to))
    try:
        await refused(fritz.link, "INVALID_SIG", ref=said.ref)
    finally:
        await gone(fritz, said.author)
        not_delivered(bob, said)


@FAST_FRAMES.extension(
    "11.226-bound-to-everybody",
    'a SERVER_DELIVER signed by a session key whose bind says to "*" is refused (INVALID_SIG)',
    "a server has one session key for all its links: bind must say your own id",
    needs=[Need.SERVERS],
    rests_on=_TAKEN,
)
async def _bound_to_everybody(probe: Probe) -> None:
    fritz, own = await agreed(probe, "fritz", server=True)
    await _not_delivered(probe, fritz, own, "*")


@FAST_FRAMES.extension(
    "11.227-bound-to-another",
    "so is one bound to another server",
    "a server has one session key for all its links: bind must say your own id",
    needs=[Need.SERVERS],
    rests_on=_TAKEN,
)
async def _bound_to_another(probe: Probe) -> None:
    fritz, own = await agreed(probe, "fritz", server=True)
    await _not_delivered(probe, fritz, own, new_id())
