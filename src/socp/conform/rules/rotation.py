"""Key rotation and revocation: `rotate/1`."""

from __future__ import annotations

from typing import Any, Final

from socp.conform import preimages
from socp.conform.canonical import unb64
from socp.conform.cast import Identity, new_id
from socp.conform.expect import refused, same
from socp.conform.frames import Frame, now_ms
from socp.conform.peers import Peer, message
from socp.conform.probe import Probe, turned_away
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach

ROTATION: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.THROW_AWAY), feature="rotate/1")
_ROTATES: Final = ("link-auth/1", "bind/1", "rotate/1")


async def _newcomer(probe: Probe, name: str) -> Peer:
    """Somebody who was never there: ids that end are not used again."""
    probe.check_may_prove()
    key = (await probe.identity(name)).key
    who = Identity(name, new_id(), key)
    return await probe.attached(await probe.connect(name), who, features=_ROTATES)


async def _step(probe: Probe, old: Identity, version: int = 2) -> tuple[Identity, dict[str, Any]]:
    """The same user with another key, and KEY_ROTATE that says so."""
    new = Identity(old.name, old.id, (await probe.identity("heir")).key)
    ts = now_ms()
    prints = (old.key.public.fingerprint, new.key.public.fingerprint)
    sig = old.key.sign(preimages.rotation(old.id, *prints, version, ts))
    text = preimages.rotation_new(old.id, *prints, version, ts, unb64(sig))
    new_sig = new.key.sign(text)
    step = {"user_id": old.id, "pubkey": new.key.public.text, "version": version, "ts": ts}
    return new, {**step, "sig": sig, "new_sig": new_sig}


def _chain(old: Identity, step: dict[str, Any]) -> list[dict[str, Any]]:
    """`rotations` of that step."""
    members = {name: value for name, value in step.items() if name != "user_id"}
    return [{**members, "follows": old.key.public.fingerprint}]


async def _rotated(probe: Probe, rita: Peer) -> tuple[Identity, dict[str, Any]]:
    new, step = await _step(probe, rita.who)
    await rita.say("KEY_ROTATE", step, to=rita.server_id)
    came = await rita.link.hears("ACK", "ERROR")
    same("the answer", came.gist(), "ACK of KEY_ROTATE")
    return new, step


@ROTATION.extension(
    "11.60-rotate",
    "KEY_ROTATE is answered by ACK, and the link closed with 1000",
    "store the step, answer ACK {msg_ref: KEY_ROTATE}, close with 1000",
)
async def _rotate(probe: Probe) -> None:
    rita = await _newcomer(probe, "rita")
    await _rotated(probe, rita)
    same("the close code", await rita.link.ends(), 1000)


@ROTATION.extension(
    "11.61-new-key",
    "the new key says hello afterwards, and its version is 2",
    "move the pin to the new key",
)
async def _new_key(probe: Probe) -> None:
    alice, rita = await probe.alice(), await _newcomer(probe, "rita")
    new, step = await _rotated(probe, rita)
    await rita.link.ends()
    chain = _chain(rita.who, step)
    link = await probe.connect("rita, with the new key")
    await probe.attached(link, new, features=_ROTATES, rotations=chain)
    await alice.say("PUBKEY_REQUEST", {"user_id": new.id})
    answer = await alice.link.hears("PUBKEY_RESPONSE")
    same("version", answer.get("version"), 2)
    same("pubkey", answer.get("pubkey"), new.key.public.text)


@ROTATION.extension(
    "11.62-former-key",
    "the former key gets in no more (BAD_KEY)",
    "refuse a hello with a former key; take KEY_REVOKE alone from it",
)
async def _former_key(probe: Probe) -> None:
    rita = await _newcomer(probe, "rita")
    await _rotated(probe, rita)
    await rita.link.ends()
    link = await probe.connect("rita, with the former key")
    await turned_away(probe.attached(link, rita.who, features=_ROTATES), "BAD_KEY")


async def _no_step(probe: Probe, changed: dict[str, Any], version: int = 2) -> None:
    rita = await _newcomer(probe, "rita")
    _, step = await _step(probe, rita.who, version)
    await rita.say("KEY_ROTATE", {**step, **changed}, to=rita.server_id)
    came: Frame = await rita.link.hears("ACK", "ERROR")
    if came.type == "ACK":
        raise Breach("it was taken")


@ROTATION.extension(
    "11.63-old-sig",
    "KEY_ROTATE that the old key did not sign is refused",
    "verify sig under the pinned key",
)
async def _old_sig(probe: Probe) -> None:
    erin = await probe.identity("erin")
    await _no_step(probe, {"sig": erin.key.sign(b"x")})


@ROTATION.extension(
    "11.64-new-sig",
    "KEY_ROTATE that the new key did not sign is refused",
    "verify new_sig under the new key: or anybody's key could be made one's own",
)
async def _new_sig(probe: Probe) -> None:
    erin = await probe.identity("erin")
    await _no_step(probe, {"new_sig": erin.key.sign(b"x")})


@ROTATION.extension(
    "11.65-next-version",
    "KEY_ROTATE with another version than the next one is refused",
    "take the next version alone",
)
async def _next_version(probe: Probe) -> None:
    await _no_step(probe, {}, version=7)


@ROTATION.extension(
    "11.66-revoke",
    "KEY_REVOKE is answered by ACK, and the id is ended: hello and messages are NOT_ALLOWED",
    "store the revocation, close with 1008, and refuse the id for ever",
)
async def _revoke(probe: Probe) -> None:
    alice, rita = await probe.alice(), await _newcomer(probe, "rita")
    ts, key = now_ms(), rita.who.key
    text = preimages.revocation(rita.id, key.public.fingerprint, 1, ts)
    payload = {"user_id": rita.id, "version": 1, "ts": ts, "sig": key.sign(text)}
    await rita.say("KEY_REVOKE", payload, to=rita.server_id)
    same("the answer", (await rita.link.hears("ACK", "ERROR")).gist(), "ACK of KEY_REVOKE")
    await rita.link.ends()
    said = message(alice.who, rita.id, key.public)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=rita.id, ts=said.ts)
    await refused(alice.link, "NOT_ALLOWED", ref=said.ref)
    again = probe.attached(await probe.connect("rita again"), rita.who, features=_ROTATES)
    await turned_away(again, "NOT_ALLOWED")
