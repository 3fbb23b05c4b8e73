"""Section 7: posts, and the keys of the public channel on their way."""

from __future__ import annotations

import secrets
from typing import Any, Final

from socp.conform import preimages
from socp.conform.canonical import b64
from socp.conform.expect import list_of, refused, same, signed_form
from socp.conform.figures import RSA_BYTES, VERSION_JUMP
from socp.conform.frames import Frame, now_ms
from socp.conform.link import Where
from socp.conform.peers import Peer
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.verdicts import Breach, Dialect

CHANNEL: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_TRACE: Final = (Need.THROW_AWAY,)
_ABROAD: Final = (Need.THROW_AWAY, Need.SERVERS)


def _adds(user_id: str) -> Where:
    def fits(frame: Frame) -> bool:
        added = frame.get("add")
        return isinstance(added, list) and user_id in added

    return fits


@CHANNEL.must(
    "7.1-newcomer-is-added",
    "members hear PUBLIC_CHANNEL_ADD of a newcomer, with if_version",
    "broadcast PUBLIC_CHANNEL_ADD {add: [user_id], if_version} for each hello",
)
async def _newcomer_is_added(probe: Probe) -> None:
    alice, carol = await probe.alice(), await probe.user("carol")
    added = await alice.link.hears("PUBLIC_CHANNEL_ADD", where=_adds(carol.id))
    if type(added.get("if_version")) is not int:
        raise Breach(f"if_version is {added.get('if_version')!r:.40}")


@CHANNEL.must(
    "7.2-newcomer-is-added-abroad",
    "linked servers hear it too",
    "send PUBLIC_CHANNEL_ADD to all servers",
    needs=[Need.SERVERS],
)
async def _added_abroad(probe: Probe) -> None:
    east, carol = await probe.east(), await probe.user("carol")
    await east.link.hears("PUBLIC_CHANNEL_ADD", where=_adds(carol.id))


@CHANNEL.must(
    "7.3-add-is-forwarded",
    "PUBLIC_CHANNEL_ADD of a linked server reaches local members and other servers",
    "forward it as it came",
    needs=[Need.SERVERS],
)
async def _add_is_forwarded(probe: Probe) -> None:
    alice, east, west = await probe.alice(), await probe.east(), await probe.west()
    fred = (await probe.identity("fred")).id
    await east.say("PUBLIC_CHANNEL_ADD", {"add": [fred], "if_version": 0})
    await alice.link.hears("PUBLIC_CHANNEL_ADD", where=_adds(fred))
    await west.link.hears("PUBLIC_CHANNEL_ADD", where=_adds(fred))


# --- posts --------------------------------------------------------------------------------------


def post(author: Peer, *, ts: int | None = None) -> tuple[dict[str, Any], int, str]:
    """The payload of MSG_PUBLIC_CHANNEL, its ts, and its msg_ref. No server can tell what key the
    ciphertext is for, and this one is for none."""
    raw, at = secrets.token_bytes(RSA_BYTES), now_ms() if ts is None else ts
    payload = {
        "ciphertext": b64(raw),
        "sender_pub": author.who.key.public.text,
        "content_sig": author.who.key.sign(preimages.post(raw, author.id, at)),
    }
    return payload, at, preimages.msg_ref(raw, author.id, "public", at)


def is_post(payload: dict[str, Any]) -> Where:
    """Frames that carry this post."""
    return lambda frame: bool(frame.get("ciphertext") == payload["ciphertext"])


async def _posted(author: Peer, reader: Peer) -> tuple[dict[str, Any], int, Frame]:
    payload, ts, _ = post(author)
    await author.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    frame = await reader.link.hears("MSG_PUBLIC_CHANNEL", where=is_post(payload))
    return payload, ts, frame


@CHANNEL.must(
    "7.10-post-reaches-members",
    "a post reaches the other members, its payload unchanged",
    "fan out MSG_PUBLIC_CHANNEL to all members",
    needs=_TRACE,
)
async def _post_reaches(probe: Probe) -> None:
    payload, _, frame = await _posted(await probe.alice(), await probe.bob())
    same("payload", frame.payload, payload)


@CHANNEL.must(
    "7.11-post-envelope",
    'it keeps the author\'s from and ts, and to is "public"',
    "change nothing but sig: content_sig covers from and ts",
    needs=_TRACE,
)
async def _post_envelope(probe: Probe) -> None:
    alice = await probe.alice()
    _, ts, frame = await _posted(alice, await probe.bob())
    same("from", frame.members.get("from"), alice.id)
    same("to", frame.members.get("to"), "public")
    same("ts", frame.ts, ts)


@CHANNEL.must(
    "7.12-post-not-back",
    "it does not come back to its author",
    "leave the author's own link out of the fan-out",
    needs=_TRACE,
)
async def _post_not_back(probe: Probe) -> None:
    alice = await probe.alice()
    payload, _, _ = await _posted(alice, await probe.bob())
    await alice.link.quiet("MSG_PUBLIC_CHANNEL", where=is_post(payload))


@CHANNEL.should(
    "7.13-post-hop-sig",
    "its sig is that of the server which hands it out",
    "put your own sig on the hop: the author's is not bound to it",
    needs=_TRACE,
)
async def _post_hop_sig(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    _, _, frame = await _posted(alice, bob)
    try:
        signed_form(bob.server_key, frame)
    except Breach:
        signed_form(alice.who.key.public, frame)
        raise Dialect("the author's own sig") from None


@CHANNEL.must(
    "7.14-post-abroad",
    "it reaches linked servers",
    "send posts to all servers that host members",
    needs=_ABROAD,
)
async def _post_abroad(probe: Probe) -> None:
    await _posted(await probe.alice(), await probe.east())


@CHANNEL.must(
    "7.15-post-once",
    "the same post twice is fanned out once",
    "drop what passed before (seen_ids)",
    needs=_TRACE,
)
async def _post_once(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload, ts, _ = post(alice)
    for _ in range(2):
        await alice.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    await bob.link.hears("MSG_PUBLIC_CHANNEL", where=is_post(payload))
    await bob.link.quiet("MSG_PUBLIC_CHANNEL", where=is_post(payload))


@CHANNEL.must(
    "7.16-post-to-public",
    'a post whose to is not "public" is refused (BAD_FRAME)',
    'refuse it: msg_ref and content_sig of posts have "public" in this place',
)
async def _post_to_public(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload, ts, _ = post(alice)
    await alice.says_wrong("MSG_PUBLIC_CHANNEL", payload, to=bob.id, ts=ts)
    await refused(alice.link, "BAD_FRAME")


@CHANNEL.must(
    "7.17-post-of-another",
    "a post with another's key in sender_pub is refused (BAD_KEY)",
    "sender_pub must be the key pinned for the author",
)
async def _post_of_another(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload, ts, ref = post(alice)
    forged = {**payload, "sender_pub": bob.who.key.public.text}
    await alice.says_wrong("MSG_PUBLIC_CHANNEL", forged, to="public", ts=ts)
    await refused(alice.link, "BAD_KEY", ref=ref)


@CHANNEL.must(
    "7.18-post-from-abroad",
    "a post of a user of a linked server reaches local members, and not its source again",
    "fan out posts of other servers to your members, and to the other servers",
    needs=_ABROAD,
)
async def _post_from_abroad(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    author = Peer(fred, east.link, east.answer)
    payload, ts, _ = post(author)
    frame = author.frame("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    await east.link.say(frame)
    await bob.link.hears("MSG_PUBLIC_CHANNEL", where=is_post(payload))
    await east.link.quiet("MSG_PUBLIC_CHANNEL", where=is_post(payload))
    await gone(east, fred)


# --- key shares ---------------------------------------------------------------------------------


async def known_version(probe: Probe) -> int:
    """The channel's version here, by its PUBLIC_CHANNEL_ADD; 1 where there is none yet."""
    alice, carol = await probe.alice(), await probe.user("carol")
    added = await alice.link.hears("PUBLIC_CHANNEL_ADD", where=_adds(carol.id))
    version = added.get("if_version")
    return version if type(version) is int and version > 0 else 1


def share(author: Peer, member: Peer, version: int, *, alias: bool = False) -> dict[str, Any]:
    name = "wrapped" if alias else "wrapped_public_channel_key"
    sealed = member.who.key.public.sealed(secrets.token_bytes(32))
    shares = [{"member": member.id, name: b64(sealed)}]
    key = author.who.key
    return {
        "shares": shares,
        "creator_pub": key.public.text,
        "content_sig": key.sign(preimages.shares(shares, key.public.der)),
        "version": version,
        "channel_pub": key.public.text,
        "channel_priv_box": b64(secrets.token_bytes(64)),
    }


def is_share(payload: dict[str, Any]) -> Where:
    return lambda frame: bool(frame.get("content_sig") == payload["content_sig"])


@CHANNEL.must(
    "7.20-share-routed",
    "PUBLIC_CHANNEL_KEY_SHARE reaches the member it is for, unchanged",
    "route each share to its member's link, or to the member's server",
    needs=_TRACE,
)
async def _share_routed(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = share(alice, bob, await known_version(probe))
    await alice.say("PUBLIC_CHANNEL_KEY_SHARE", payload)
    frame = await bob.link.hears("PUBLIC_CHANNEL_KEY_SHARE", where=is_share(payload))
    same("payload", frame.payload, payload)
    same("from", frame.members.get("from"), alice.id)


@CHANNEL.should(
    "7.21-share-told",
    "members hear PUBLIC_CHANNEL_UPDATED with the wrap that is new",
    "broadcast PUBLIC_CHANNEL_UPDATED {version, wraps: [{member_id, wrapped_key}]}",
    needs=_TRACE,
)
async def _share_told(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    version = await known_version(probe)
    payload = share(alice, bob, version)
    await alice.say("PUBLIC_CHANNEL_KEY_SHARE", payload)
    updated = await bob.link.hears("PUBLIC_CHANNEL_UPDATED", where=lambda f: bool(f.get("wraps")))
    row = list_of(updated, "wraps")[0]
    if not isinstance(row, dict) or {"member_id", "wrapped_key"} - row.keys():
        raise Breach(f"a wrap is {row!r:.80}")


@CHANNEL.should(
    "7.22-share-alias",
    "a share with `wrapped` in place of wrapped_public_channel_key is taken",
    "take the other name of section 13",
    needs=_TRACE,
)
async def _share_alias(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = share(alice, bob, await known_version(probe), alias=True)
    await alice.say("PUBLIC_CHANNEL_KEY_SHARE", payload)
    await bob.link.hears("PUBLIC_CHANNEL_KEY_SHARE", where=is_share(payload))


async def _no_share(probe: Probe, payload: dict[str, Any], *codes: str) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    await alice.says_wrong("PUBLIC_CHANNEL_KEY_SHARE", payload)
    try:
        await refused(alice.link, *codes)
    finally:
        if bob.link.has("PUBLIC_CHANNEL_KEY_SHARE", where=is_share(payload)):
            raise Breach("it was passed on")


@CHANNEL.must(
    "7.23-share-signed",
    "a share whose content_sig does not verify is refused (INVALID_SIG)",
    "verify content_sig over canonical(shares) || DER(creator_pub)",
    needs=_TRACE,
)
async def _share_signed(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = share(alice, bob, await known_version(probe))
    await _no_share(probe, {**payload, "content_sig": alice.who.key.sign(b"x")}, "INVALID_SIG")


@CHANNEL.must(
    "7.24-share-creator",
    "a share whose creator_pub is not its author's key is refused (BAD_KEY)",
    "creator_pub must be the key pinned for from",
    needs=_TRACE,
)
async def _share_creator(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = share(alice, bob, await known_version(probe))
    await _no_share(probe, {**payload, "creator_pub": bob.who.key.public.text}, "BAD_KEY")


@CHANNEL.must(
    "7.25-version-jump",
    "a version more than 1,000 above the highest known is refused (BAD_FRAME)",
    "bound the jump: one huge version would wedge the channel for ever",
    needs=_TRACE,
)
async def _version_jump(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    far = await known_version(probe) + 10 * VERSION_JUMP
    await _no_share(probe, share(alice, bob, far), "BAD_FRAME")


@CHANNEL.must(
    "7.26-version-jump-abroad",
    "a linked server cannot make that jump either",
    "bound the jump in PUBLIC_CHANNEL_UPDATED too",
    needs=_ABROAD,
)
async def _version_jump_abroad(probe: Probe) -> None:
    east = await probe.east()
    far = await known_version(probe) + 10_000 * VERSION_JUMP
    await east.says_wrong("PUBLIC_CHANNEL_UPDATED", {"version": far, "wraps": []})
    await refused(east.link, "BAD_FRAME")
