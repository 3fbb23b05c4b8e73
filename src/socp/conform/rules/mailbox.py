"""Section 11: `mailbox/1`."""

from __future__ import annotations

from typing import Any, Final

from socp.conform import preimages
from socp.conform.cast import new_id
from socp.conform.expect import about, bytes_of, refused, same
from socp.conform.figures import LATE_MS
from socp.conform.frames import Frame, now_ms
from socp.conform.peers import Message, Peer, message
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.files import chunk, of_file, start
from socp.conform.rules.link_auth import proving_user
from socp.conform.verdicts import Breach

MAILBOX: Final[Section[Probe]] = Section(needs=(Need.USERS,), feature="mailbox/1")
KEEPS: Final = ("link-auth/1", "bind/1", "mailbox/1")
_DAY_MS: Final = 86_400_000


async def reader_who_keeps(probe: Probe, name: str = "mara") -> Peer:
    """A proven user with `mailbox/1`, all mail of earlier rules taken."""
    mara = await proving_user(probe, name, KEEPS)
    await mara.link.quiet("never", within_s=probe.world.manners.quiet_s / 2)
    for frame in tuple(mara.link.heard):
        await taken(mara, frame)
    mara.link.heard.clear()
    return mara


async def taken(reader: Peer, frame: Frame) -> None:
    """ACK what was delivered, as a client does that stored it."""
    if frame.type == "USER_DELIVER":
        await reader.say("ACK", {"msg_ref": ref_of(frame)}, to=reader.server_id)
    elif frame.type == "FILE_END":
        payload = {"msg_ref": frame.get("file_id"), "of": "FILE_END"}
        await reader.say("ACK", payload, to=reader.server_id)


def ref_of(frame: Frame) -> str:
    """The msg_ref of what was delivered."""
    raw, ts = bytes_of(frame, "ciphertext"), frame.ts
    if type(ts) is not int:
        raise Breach(f"the ts of USER_DELIVER is {ts!r:.40}")
    return preimages.msg_ref(raw, str(frame.get("sender")), str(frame.members.get("to")), ts)


async def _left(probe: Probe) -> tuple[Peer, Message, Frame]:
    """A message of alice to mara, who is away; what alice was told."""
    alice, mara = await probe.alice(), await reader_who_keeps(probe)
    await mara.link.close()
    said = message(alice.who, mara.id, mara.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=mara.id, ts=said.ts)
    return alice, said, await alice.link.hears("ACK", "ERROR", where=about(said.ref))


@MAILBOX.extension(
    "11.40-queued",
    "a message to a registered user who is away is answered by ACK queued",
    "store it, and answer when the store is committed",
)
async def _queued(probe: Probe) -> None:
    _, _, came = await _left(probe)
    same("the answer", came.type, "ACK")
    same("status", came.get("status"), "queued")


@MAILBOX.extension(
    "11.41-handed-out",
    "it is delivered at the reader's next hello, with the author's ts",
    "hand out what waits behind the ACK of the hello",
)
async def _handed_out(probe: Probe) -> None:
    _, said, _ = await _left(probe)
    mara = await proving_user(probe, "mara", KEEPS)
    frame = await mara.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    await taken(mara, frame)


@MAILBOX.extension(
    "11.42-told-delivered",
    "its author hears ACK delivered when the reader acknowledged it",
    "tell the author when the reader's client has it",
)
async def _told_delivered(probe: Probe) -> None:
    alice, said, _ = await _left(probe)
    mara = await proving_user(probe, "mara", KEEPS)
    await taken(mara, await mara.link.hears("USER_DELIVER", where=said.is_delivered_by))
    came = await alice.link.hears("ACK", where=about(said.ref))
    same("status", came.get("status"), "delivered")


@MAILBOX.extension(
    "11.43-kept-until-acked",
    "it comes again at each hello until the reader acknowledges it, and then no more",
    "delete mail by the reader's ACK alone",
)
async def _kept_until_acked(probe: Probe) -> None:
    _, said, _ = await _left(probe)
    for _ in range(2):
        mara = await proving_user(probe, "mara", KEEPS)
        await mara.link.hears("USER_DELIVER", where=said.is_delivered_by)
        await mara.link.close()
    mara = await proving_user(probe, "mara", KEEPS)
    await taken(mara, await mara.link.hears("USER_DELIVER", where=said.is_delivered_by))
    await mara.say("LIST_REQUEST", {})
    await mara.link.hears("USER_LIST")
    await mara.link.close()
    mara = await proving_user(probe, "mara", KEEPS)
    await mara.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@MAILBOX.extension(
    "11.44-forged-ack",
    "an ACK whose sig does not verify deletes nothing",
    "verify ACKs on a bound link: anybody on a plain link can inject one",
)
async def _forged_ack(probe: Probe) -> None:
    _, said, _ = await _left(probe)
    mara = await proving_user(probe, "mara", KEEPS)
    await mara.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await mara.say("ACK", {"msg_ref": said.ref}, to=mara.server_id, sig=mara.who.key.sign(b"x"))
    await mara.link.quiet("never")
    await mara.link.close()
    mara = await proving_user(probe, "mara", KEEPS)
    await taken(mara, await mara.link.hears("USER_DELIVER", where=said.is_delivered_by))


@MAILBOX.extension(
    "11.45-retry",
    "the same bytes said again are acknowledged again, and delivered once",
    "remember msg_refs as long as mail is kept",
)
async def _retry(probe: Probe) -> None:
    alice, said, _ = await _left(probe)
    await alice.say("MSG_DIRECT", said.payload, to=said.reader, ts=said.ts)
    same("the answer", (await alice.link.hears("ACK", "ERROR")).type, "ACK")
    mara = await proving_user(probe, "mara", KEEPS)
    await taken(mara, await mara.link.hears("USER_DELIVER", where=said.is_delivered_by))
    await mara.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@MAILBOX.extension(
    "11.46-order",
    "what waits is handed out in its order",
    "hand out one author's mail in the order in which it came",
)
async def _order(probe: Probe) -> None:
    alice, mara = await probe.alice(), await reader_who_keeps(probe)
    await mara.link.close()
    said = [message(alice.who, mara.id, mara.who.key.public) for _ in range(5)]
    for each in said:
        await alice.say("MSG_DIRECT", each.payload, to=mara.id, ts=each.ts)
        await alice.link.hears("ACK", where=about(each.ref))
    mara = await proving_user(probe, "mara", KEEPS)
    due = [each.payload["ciphertext"] for each in said]
    came = []
    for _ in said:
        frame = await mara.link.hears("USER_DELIVER", where=lambda f: f.get("ciphertext") in due)
        came.append(frame.get("ciphertext"))
        await taken(mara, frame)
    if came != due:
        raise Breach("it came in another order")


async def _late(probe: Probe, age_ms: int, *, proven: bool = True) -> tuple[Peer, Message]:
    """A message of that age with `late`, sent by somebody with or without a proof."""
    bob = await probe.bob()
    author = await reader_who_keeps(probe) if proven else await probe.alice()
    said = message(author.who, bob.id, bob.who.key.public, ts=now_ms() - age_ms)
    payload: dict[str, Any] = {**said.payload, "late": True}
    if proven:
        await author.say("MSG_DIRECT", payload, to=bob.id, ts=said.ts)
    else:
        await author.says_wrong("MSG_DIRECT", payload, to=bob.id, ts=said.ts)
    return author, said


@MAILBOX.extension(
    "11.47-late",
    "a message of ten days ago with late: true is taken from who proved the key",
    "take ts of up to 30 days with `late` on a proven link",
)
async def _late_taken(probe: Probe) -> None:
    bob = await probe.bob()
    _, said = await _late(probe, 10 * _DAY_MS)
    frame = await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)


@MAILBOX.extension(
    "11.48-too-late",
    "a message of more than 30 days ago is refused (BAD_FRAME)",
    "bound `late` by 30 days",
)
async def _too_late(probe: Probe) -> None:
    author, said = await _late(probe, LATE_MS + _DAY_MS)
    await refused(author.link, "BAD_FRAME", ref=said.ref)


@MAILBOX.extension(
    "11.49-late-without-proof",
    "late: true counts for nothing without a proof (BAD_FRAME)",
    "take `late` on a proven link alone",
)
async def _late_without_proof(probe: Probe) -> None:
    author, said = await _late(probe, 10 * _DAY_MS, proven=False)
    await refused(author.link, "BAD_FRAME", ref=said.ref)


@MAILBOX.extension(
    "11.50-file-kept",
    "a file to who is away is kept, each of its frames acknowledged as queued, and handed out",
    "keep FILE_START, FILE_CHUNK and FILE_END in their order until the reader has all",
)
async def _file_kept(probe: Probe) -> None:
    alice, mara = await probe.alice(), await reader_who_keeps(probe)
    await mara.link.close()
    file_id = new_id()
    frames = (
        ("FILE_START", start(file_id, size=400)),
        ("FILE_CHUNK", chunk(file_id, 0)),
        ("FILE_END", {"file_id": file_id}),
    )
    for kind, payload in frames:
        await alice.say(kind, payload, to=mara.id)
        came = await alice.link.hears("ACK", "ERROR", where=about(file_id))
        same(f"the answer to {kind}", came.gist(), f"ACK of {file_id}")
        same("status", came.get("status"), "queued")
    mara = await proving_user(probe, "mara", KEEPS)
    for kind, _ in frames:
        frame = await mara.link.hears(kind, where=of_file(file_id))
    await taken(mara, frame)


@MAILBOX.extension(
    "11.51-waits-for-ack",
    "a reader with mailbox/1 who is there gets it at once, and its author hears delivered",
    "commit, answer queued, hand over, and tell the author at the reader's ACK",
)
async def _waits_for_ack(probe: Probe) -> None:
    alice, mara = await probe.alice(), await reader_who_keeps(probe)
    said = message(alice.who, mara.id, mara.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=mara.id, ts=said.ts)
    first = await alice.link.hears("ACK", where=about(said.ref))
    same("the first status", first.get("status"), "queued")
    await taken(mara, await mara.link.hears("USER_DELIVER", where=said.is_delivered_by))
    second = await alice.link.hears("ACK", where=about(said.ref))
    same("the second status", second.get("status"), "delivered")
