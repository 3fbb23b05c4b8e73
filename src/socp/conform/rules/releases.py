"""Section 11: `mailbox/1` between servers: SERVER_DELIVER with `queued: true`, a release."""

from __future__ import annotations

from typing import Any, Final

from socp.conform.cast import Identity
from socp.conform.expect import about, same
from socp.conform.figures import WINDOW_MS
from socp.conform.frames import Frame, now_ms
from socp.conform.peers import Message, Peer, message
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.delivery import handed, not_handed
from socp.conform.rules.link_auth import BOUND, proving_user
from socp.conform.rules.mailbox import KEEPS, reader_who_keeps, taken
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.verdicts import Breach, Unjudged

RELEASES: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.SERVERS), feature="mailbox/1")
_AGE_MS: Final = 864_000_000  # ten days


async def _keeper(probe: Probe, name: str = "nell") -> Peer:
    """A proven server that keeps mail."""
    probe.check_may_prove()
    server = await probe.server(name, features=(*BOUND, "mailbox/1"))
    if "mailbox/1" not in server.features:
        raise Unjudged("its SERVER_WELCOME does not announce mailbox/1")
    return server


async def _author(probe: Probe) -> Identity:
    """A user of another server than the one that releases what they said."""
    east, fred = await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    return fred


async def _answered(keeper: Peer, said: Message, status: str) -> None:
    came = await keeper.link.hears("ACK", "ERROR", where=about(said.ref))
    same("the answer", came.type, "ACK")
    same("status", came.get("status"), status)


async def _not_taken(probe: Probe, said: Message, code: str, **changed: Any) -> None:
    """This release must be refused, and reach nobody."""
    keeper = await _keeper(probe)
    await not_handed(probe, keeper, said, code, ref=said.ref, queued=True, **changed)


@RELEASES.extension(
    "11.52-release",
    "a release of ten days ago, by a server that is not its author's, is delivered (ACK delivered)",
    "take SERVER_DELIVER with queued from any server: the author's content_sig speaks for it",
)
async def _release(probe: Probe) -> None:
    bob, fred, keeper = await probe.bob(), await _author(probe), await _keeper(probe)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() - _AGE_MS)
    await handed(keeper, said, queued=True)
    frame = await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    same("sender", frame.get("sender"), fred.id)
    await _answered(keeper, said, "delivered")
    await gone(await probe.east(), fred)


@RELEASES.extension(
    "11.53-release-forged",
    "a release whose content_sig does not verify is refused (INVALID_SIG)",
    "verify the content_sig of each release: nothing else says whose words they are",
)
async def _forged(probe: Probe) -> None:
    bob, fred = await probe.bob(), await _author(probe)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() - _AGE_MS)
    await _not_taken(probe, said, "INVALID_SIG", content_sig=fred.key.sign(b"another"))
    await gone(await probe.east(), fred)


@RELEASES.extension(
    "11.54-release-other-key",
    "a release under a key that its author never had is refused (BAD_KEY)",
    "sender_pub must be a key that the author has or had",
)
async def _other_key(probe: Probe) -> None:
    bob, fred = await probe.bob(), await _author(probe)
    thief = Identity("thief", fred.id, (await probe.identity("erin")).key)
    said = message(thief, bob.id, bob.who.key.public, ts=now_ms() - _AGE_MS)
    await _not_taken(probe, said, "BAD_KEY")
    await gone(await probe.east(), fred)


@RELEASES.extension(
    "11.55-release-ahead",
    "a release of more than 5 minutes ahead is refused (BAD_FRAME)",
    "an old ts is right in a release, one of tomorrow is not",
)
async def _ahead(probe: Probe) -> None:
    bob, fred = await probe.bob(), await _author(probe)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() + 2 * WINDOW_MS)
    await _not_taken(probe, said, "BAD_FRAME")
    await gone(await probe.east(), fred)


@RELEASES.extension(
    "11.56-release-once",
    "the same release again is acknowledged again, and delivered once",
    "remember msg_refs as long as mail is kept, and answer whoever still has it",
)
async def _once(probe: Probe) -> None:
    bob, fred, keeper = await probe.bob(), await _author(probe), await _keeper(probe)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() - _AGE_MS)
    await handed(keeper, said, queued=True)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await _answered(keeper, said, "delivered")
    await handed(keeper, said, queued=True)
    again = await keeper.link.hears("ACK", "ERROR", where=about(said.ref))
    same("the answer", again.type, "ACK")
    await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)
    await gone(await probe.east(), fred)


@RELEASES.extension(
    "11.57-release-kept",
    "a release for who is away is acknowledged (queued) and handed out at their next hello",
    "store it, and answer when the store is committed",
)
async def _kept(probe: Probe) -> None:
    mara, fred, keeper = await reader_who_keeps(probe), await _author(probe), await _keeper(probe)
    await mara.link.close()
    said = message(fred, mara.id, mara.who.key.public, ts=now_ms() - _AGE_MS)
    await handed(keeper, said, queued=True)
    await _answered(keeper, said, "queued")
    mara = await proving_user(probe, "mara", KEEPS)
    frame = await mara.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    await taken(mara, frame)
    await gone(await probe.east(), fred)


async def _left_for_another(probe: Probe) -> tuple[Message, Identity]:
    """A message of alice to a user of a server that keeps mail and is away."""
    alice, keeper, gina = await probe.alice(), await _keeper(probe), await foreigner(probe, "gina")
    await advertised(probe, keeper, gina)
    await keeper.link.close()
    await alice.link.hears("USER_REMOVE", where=lambda frame: frame.get("user_id") == gina.id)
    said = message(alice.who, gina.id, gina.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=gina.id, ts=said.ts)
    came = await alice.link.hears("ACK", "ERROR", where=about(said.ref))
    if came.get("status") != "queued":
        raise Breach(f"a message to a user of a server that is away was answered by {came.gist()}")
    return said, gina


async def _comes(keeper: Peer, said: Message) -> Frame:
    return await keeper.link.hears("SERVER_DELIVER", where=said.is_delivered_by)


@RELEASES.extension(
    "11.58-releases",
    "what waits for a user of a server that was away goes there as a release, with its author's ts",
    "on each new link send what waits for users who live there, with queued: true",
)
async def _releases(probe: Probe) -> None:
    said, gina = await _left_for_another(probe)
    keeper = await _keeper(probe)
    came = await _comes(keeper, said)
    await keeper.say("ACK", {"msg_ref": said.ref, "status": "queued"}, to=keeper.server_id)
    same("queued", came.get("queued"), True)
    same("ts", came.ts, said.ts)
    same("user_id", came.get("user_id"), gina.id)
    same("content_sig", came.get("content_sig"), said.payload["content_sig"])


@RELEASES.extension(
    "11.59-releases-until-acked",
    "it goes again on each link until that server acknowledged it, and then no more",
    "let go of it by the home's ACK alone",
)
async def _until_acked(probe: Probe) -> None:
    said, _ = await _left_for_another(probe)
    for _ in range(2):
        keeper = await _keeper(probe)
        await _comes(keeper, said)
        await keeper.link.close()
    keeper = await _keeper(probe)
    await _comes(keeper, said)
    await keeper.say("ACK", {"msg_ref": said.ref, "status": "queued"}, to=keeper.server_id)
    await keeper.say("PUBKEY_REQUEST", {"user_id": keeper.id}, to=keeper.server_id)
    await keeper.link.hears("PUBKEY_RESPONSE", "ERROR")
    await keeper.link.close()
    keeper = await _keeper(probe)
    await keeper.link.quiet("SERVER_DELIVER", where=said.is_delivered_by)
