"""Section 6, direct messages."""

from __future__ import annotations

from typing import Final

from socp.conform import preimages
from socp.conform.canonical import b64
from socp.conform.expect import bytes_of, refused, same, signed_form, text_of
from socp.conform.frames import Frame
from socp.conform.link import Where
from socp.conform.peers import Message, Peer, message, not_delivered
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect

MESSAGES: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_ORIG_TS_NAMES: Final = ("orig_ts", "msg_ts", "cts", "original_ts")


async def delivered(author: Peer, reader: Peer) -> tuple[Message, Frame]:
    """A message that was sent, and the frame in which it arrived."""
    said = message(author.who, reader.id, reader.who.key.public)
    await author.say("MSG_DIRECT", said.payload, to=reader.id, ts=said.ts)
    return said, await reader.link.hears("USER_DELIVER", where=said.is_delivered_by)


@MESSAGES.must(
    "6.20-delivered",
    "MSG_DIRECT reaches its reader as USER_DELIVER",
    "hand a direct message to the reader's link as USER_DELIVER",
)
async def _delivered(probe: Probe) -> None:
    await delivered(await probe.alice(), await probe.bob())


@MESSAGES.must(
    "6.21-from-server-to-user",
    "USER_DELIVER is from the server, to the user",
    "put your server id into from, and the reader's id into to",
)
async def _from_server_to_user(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    _, frame = await delivered(alice, bob)
    same("to", frame.members.get("to"), bob.id)
    if frame.members.get("from") == alice.id:
        raise Dialect("from is the author's id, as two others have it")
    same("from", frame.members.get("from"), bob.server_id)


@MESSAGES.must(
    "6.22-authors-ts",
    "USER_DELIVER keeps the author's ts in its envelope",
    "put the author's ts into the envelope: content_sig covers it",
)
async def _authors_ts(probe: Probe) -> None:
    said, frame = await delivered(await probe.alice(), await probe.bob())
    if frame.ts == said.ts:
        return
    for name in _ORIG_TS_NAMES:
        if frame.get(name) == said.ts:
            raise Dialect(f"the author's ts stands in {name} alone")
    raise Breach("the author's ts is lost: no reader can verify content_sig")


@MESSAGES.should(
    "6.23-orig-ts",
    "USER_DELIVER repeats the author's ts in orig_ts",
    "put orig_ts beside the author's members",
)
async def _orig_ts(probe: Probe) -> None:
    said, frame = await delivered(await probe.alice(), await probe.bob())
    same("orig_ts", frame.get("orig_ts"), said.ts)


@MESSAGES.must(
    "6.24-authors-members",
    "ciphertext, sender_pub and content_sig arrive as they were sent",
    "do not touch what the author wrote",
)
async def _authors_members(probe: Probe) -> None:
    said, frame = await delivered(await probe.alice(), await probe.bob())
    for name in ("ciphertext", "sender_pub", "content_sig"):
        same(name, frame.get(name), said.payload[name])


@MESSAGES.must(
    "6.25-sender",
    "USER_DELIVER names the author in sender",
    "put the author's id into sender",
)
async def _sender(probe: Probe) -> None:
    alice = await probe.alice()
    _, frame = await delivered(alice, await probe.bob())
    same("sender", frame.get("sender"), alice.id)


@MESSAGES.must(
    "6.26-deliver-signed",
    "USER_DELIVER is signed by the delivering server",
    "sign USER_DELIVER with the server's key",
    rests_on="3.3-sig-covers-payload",
)
async def _deliver_signed(probe: Probe) -> None:
    bob = await probe.bob()
    _, frame = await delivered(await probe.alice(), bob)
    signed_form(bob.server_key, frame)


@MESSAGES.must(
    "6.27-opens-and-verifies",
    "the reader opens the ciphertext, and content_sig verifies under the author's key",
    "carry ciphertext, from, to and ts of a message unchanged",
)
async def _opens(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said, frame = await delivered(alice, bob)
    raw = bytes_of(frame, "ciphertext")
    if bob.who.key.opened(raw) is None:
        raise Breach("the ciphertext does not open with the reader's key")
    signed = preimages.direct(raw, alice.id, bob.id, said.ts)
    if not alice.who.key.public.signed(text_of(frame, "content_sig"), signed):
        raise Breach("content_sig does not verify")


@MESSAGES.must(
    "6.28-nobody-else",
    "nobody but the reader gets it",
    "hand a direct message to its reader alone",
)
async def _nobody_else(probe: Probe) -> None:
    alice, bob, carol = await probe.alice(), await probe.bob(), await probe.user("carol")
    await delivered(alice, bob)
    await carol.link.quiet("USER_DELIVER", "MSG_DIRECT")
    if alice.link.has("USER_DELIVER", "MSG_DIRECT"):
        raise Breach("it came back to its author")


@MESSAGES.must(
    "6.29-delivered-once",
    "it is delivered once",
    "hand a message to a link one time",
)
async def _delivered_once(probe: Probe) -> None:
    bob = await probe.bob()
    said, _ = await delivered(await probe.alice(), bob)
    await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@MESSAGES.must(
    "6.30-order",
    "ten messages of one author arrive in their order",
    "keep the order of one author's messages to one reader",
)
async def _order(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = [message(alice.who, bob.id, bob.who.key.public) for _ in range(10)]
    for each in said:
        await alice.say("MSG_DIRECT", each.payload, to=bob.id, ts=each.ts)
    due = [each.payload["ciphertext"] for each in said]
    came: list[str] = []
    while len(came) < len(due):
        frame = await bob.link.hears("USER_DELIVER", where=lambda f: f.get("ciphertext") in due)
        if frame.get("ciphertext") not in came:  # whether it is told twice is another rule's affair
            came.append(text_of(frame, "ciphertext"))
    if came != due:
        raise Breach("they arrived in another order")


@MESSAGES.must(
    "6.31-long-ciphertext",
    "a ciphertext of 100 KiB is carried",
    "do not look at the length of a ciphertext beyond the frame's limit",
)
async def _long_ciphertext(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    short = message(alice.who, bob.id, bob.who.key.public)
    raw = short.raw + bytes(100 * 1024)
    signed = alice.who.key.sign(preimages.direct(raw, alice.id, bob.id, short.ts))
    payload = {**short.payload, "ciphertext": b64(raw), "content_sig": signed}
    await alice.say("MSG_DIRECT", payload, to=bob.id, ts=short.ts)
    await bob.link.hears(
        "USER_DELIVER", where=lambda f: f.get("ciphertext") == payload["ciphertext"]
    )


async def _forged(probe: Probe, code: str, *, frm: str = "", **members: str) -> None:
    """A message with something that is not alice's must be refused, and reach nobody."""
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    payload = {**said.payload, **members}
    more = {"from": frm} if frm else {}
    await alice.says_wrong("MSG_DIRECT", payload, to=bob.id, ts=said.ts, **more)
    try:
        await refused(alice.link, code, ref=said.ref)
    except Breach:
        await _reaches_nobody(bob, said)
        raise
    not_delivered(bob, said)


async def _reaches_nobody(bob: Peer, said: Message) -> None:
    """What was taken may be on its way."""
    try:
        await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)
    except Breach as came:
        raise Breach("it was delivered") from came


@MESSAGES.must(
    "6.40-forged-from",
    "a frame whose from is another user is refused (NOT_ALLOWED)",
    "from must be the user of the link",
)
async def _forged_from(probe: Probe) -> None:
    bob = await probe.bob()
    await _forged(probe, "NOT_ALLOWED", frm=bob.id)


@MESSAGES.must(
    "6.41-forged-sender",
    "a message whose sender is another user is refused (NOT_ALLOWED)",
    "sender, where it is there, must be from",
)
async def _forged_sender(probe: Probe) -> None:
    await _forged(probe, "NOT_ALLOWED", sender=(await probe.bob()).id)


@MESSAGES.must(
    "6.42-forged-sender-pub",
    "a message whose sender_pub is another key is refused (BAD_KEY)",
    "sender_pub must be the key pinned for the author",
)
async def _forged_sender_pub(probe: Probe) -> None:
    bob = await probe.bob()
    await _forged(probe, "BAD_KEY", sender_pub=bob.who.key.public.text)


_SERVERS_FRAMES: Final = {
    "6.43-user-advertises": "USER_ADVERTISE",
    "6.44-user-removes": "USER_REMOVE",
    "6.45-user-delivers": "SERVER_DELIVER",
}


def _not_for_users(rule_id: str, kind: str) -> None:
    @MESSAGES.must(
        rule_id,
        f"{kind} of a user is refused, and moves nobody",
        "look at who may send a type: this one is for servers",
    )
    async def _refused(probe: Probe) -> None:
        alice, bob = await probe.alice(), await probe.bob()
        said = message(alice.who, bob.id, bob.who.key.public)
        payload = {
            **({"sender": alice.id, **said.payload} if kind == "SERVER_DELIVER" else {}),
            "user_id": bob.id,
            "server_id": alice.server_id,
        }
        await alice.says_wrong(kind, payload, to=alice.server_id, ts=said.ts)
        await refused(alice.link, "NOT_ALLOWED", "UNKNOWN_TYPE")
        if bob.link.has(kind, "USER_DELIVER", where=_of_either(bob.id, said)):
            raise Breach("it was acted on")


def _of_either(user_id: str, said: Message) -> Where:
    return lambda frame: frame.get("user_id") == user_id or said.is_delivered_by(frame)


for _id, _kind in _SERVERS_FRAMES.items():
    _not_for_users(_id, _kind)
