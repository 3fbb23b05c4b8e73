"""Rules for a client that is attached as a user."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final

from socp.conform import preimages
from socp.conform.canonical import b64, canonical
from socp.conform.cast import Identity
from socp.conform.expect import bytes_of, list_of, same, text_of
from socp.conform.figures import RSA_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.keys import NotAKey, read_key
from socp.conform.listen.visit import Visit
from socp.conform.peers import message
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

CLIENTS: Final[Section[Visit]] = Section()
_GROUP_KEY_BYTES: Final = 32


@CLIENTS.must(
    "6.80-hello-members",
    "USER_HELLO has client, pubkey and enc_pubkey",
    "say USER_HELLO {client, pubkey, enc_pubkey}",
)
async def _hello_members(visit: Visit) -> None:
    for name in ("client", "pubkey", "enc_pubkey"):
        text_of(visit.hello, name)


@CLIENTS.should(
    "6.81-enc-pubkey",
    "enc_pubkey is pubkey",
    "use one key: an enc_pubkey that differs is ignored by others",
)
async def _enc_pubkey(visit: Visit) -> None:
    same("enc_pubkey", visit.hello.get("enc_pubkey"), visit.hello.get("pubkey"))


# --- what it says to somebody -------------------------------------------------------------------


async def _said(visit: Visit) -> Frame:
    bob = visit.house.bob.id
    hint = f"; have it send a message to {bob}"
    return await visit.told(
        "MSG_DIRECT", where=lambda frame: frame.members.get("to") == bob, hint=hint
    )


@CLIENTS.must(
    "6.82-message-members",
    "MSG_DIRECT has ciphertext, its own key in sender_pub, and content_sig",
    "say MSG_DIRECT {ciphertext, sender_pub, content_sig}",
)
async def _message_members(visit: Visit) -> None:
    said = await _said(visit)
    for name in ("ciphertext", "sender_pub", "content_sig"):
        text_of(said, name)
    try:
        found = read_key(said.get("sender_pub")).fingerprint
    except NotAKey as fault:
        raise Breach(f"sender_pub: {fault}") from fault
    same("the fingerprint of sender_pub", found, visit.key.fingerprint)


@CLIENTS.must(
    "6.83-message-opens",
    "its ciphertext opens with the reader's key",
    "seal to the key in USER_ADVERTISE: one RSA-OAEP block with SHA-256 and MGF1-SHA-256",
)
async def _message_opens(visit: Visit) -> None:
    raw = _raw(await _said(visit))
    if len(raw) != RSA_BYTES:
        raise Breach(f"a ciphertext of {len(raw)} bytes for a reader without hybrid/1")
    if visit.house.bob.key.opened(raw) is None:
        raise Breach("the reader's key does not open it")


@CLIENTS.must(
    "6.84-message-sealed",
    "what it says is not readable by its server",
    "never send a text in clear",
)
async def _message_sealed(visit: Visit) -> None:
    said = await _said(visit)
    plain = visit.house.bob.key.opened(_raw(said))
    if plain and plain.decode("utf-8", "replace") in said.text:
        raise Breach("the text stands in the frame in clear")


@CLIENTS.must(
    "3.60-content-sig",
    "its content_sig is over raw_ciphertext || from || to || ts",
    "sign the decoded ciphertext, both ids and ts, joined",
)
async def _content_sig(visit: Visit) -> None:
    said = await _said(visit)
    raw, ts = _raw(said), said.ts
    if type(ts) is not int:
        raise Breach(f"ts is {ts!r:.40}")
    forms = preimages.content_forms(raw, visit.id, visit.house.bob.id, ts)
    for form, signed in forms.items():
        if visit.key.signed(text_of(said, "content_sig"), signed):
            if form == "raw":
                return
            raise Dialect(f"the form {form!r} of section 3")
    raise Breach("it verifies in none of the forms of section 3")


def _raw(said: Frame) -> bytes:
    return bytes_of(said, "ciphertext")


# --- the public channel -------------------------------------------------------------------------


async def _share(visit: Visit) -> Frame:
    return await visit.told("PUBLIC_CHANNEL_KEY_SHARE", where=_is_for(visit.house.bob))


def _is_for(member: Identity) -> Any:
    def fits(frame: Frame) -> bool:
        shares = frame.get("shares")
        return isinstance(shares, list) and any(
            isinstance(row, dict) and row.get("member") == member.id for row in shares
        )

    return fits


@CLIENTS.must(
    "7.50-key-share",
    "the member who makes a key shares it, signed by its own key",
    "sign canonical(shares) || DER(creator_pub)",
)
async def _key_share(visit: Visit) -> None:
    share = await _share(visit)
    rows = list_of(share, "shares")
    signed = preimages.shares(rows, visit.key.der)
    if not visit.key.signed(text_of(share, "content_sig"), signed):
        raise Breach("content_sig does not verify under the member's key")


@CLIENTS.must(
    "7.51-share-opens",
    "a share holds the group key, 32 bytes in one OAEP block",
    "wrap the group key for each member by RSA-OAEP",
)
async def _share_opens(visit: Visit) -> None:
    share, bob = await _share(visit), visit.house.bob
    for row in list_of(share, "shares"):
        if isinstance(row, dict) and row.get("member") == bob.id:
            name = "wrapped_public_channel_key"
            name = name if name in row else "wrapped"
            opened = bob.key.opened(bytes_of(Frame("", {"payload": row}), name))
            same("its length", None if opened is None else len(opened), _GROUP_KEY_BYTES)
            if name == "wrapped":
                raise Dialect("`wrapped` in place of wrapped_public_channel_key")


# --- hostile servers ----------------------------------------------------------------------------


@CLIENTS.must(
    "6.90-unsigned-content",
    "a message whose content_sig does not verify does not kill it",
    "show plainly that it could not be verified, or refuse it",
)
async def _unsigned_content(visit: Visit) -> None:
    guest, bob = await visit.guest(), visit.house.bob
    said = message(bob, visit.id, visit.key)
    payload = {**said.payload, "sender": bob.id, "content_sig": bob.key.sign(b"x")}
    await guest.say("USER_DELIVER", payload, to=visit.id, ts=said.ts)
    await visit.comes_back()


@CLIENTS.must(
    "6.91-unopenable",
    "a message that does not open does not kill it, and is not answered with an ERROR",
    "what does not open, and why, goes to nobody: it would be an oracle",
)
async def _unopenable(visit: Visit) -> None:
    guest, bob = await visit.guest(), visit.house.bob
    ts, raw = now_ms(), secrets.token_bytes(RSA_BYTES)
    payload = {
        "ciphertext": b64(raw),
        "sender": bob.id,
        "sender_pub": bob.key.public.text,
        "content_sig": bob.key.sign(preimages.direct(raw, bob.id, visit.id, ts)),
    }
    await guest.say("USER_DELIVER", payload, to=visit.id, ts=ts)
    await guest.link.quiet("ERROR")
    await visit.comes_back()


@CLIENTS.must(
    "6.92-key-swap",
    "a USER_ADVERTISE with another key for somebody known does not move what it seals to",
    "pin the key first seen; a change is loud, and nothing is sealed to the new one",
)
async def _key_swap(visit: Visit) -> None:
    guest = await visit.guest()
    thief = visit.house.who.key.public.text
    payload = {**visit.house.advert(), "pubkey": thief, "meta": {"pubkey": thief}}
    await guest.say("USER_ADVERTISE", payload)
    await visit.comes_back()
    for frame in visit.house.said:
        if frame.type == "MSG_DIRECT" and visit.house.who.key.opened(_raw(frame)) is not None:
            raise Breach("a message was sealed to the other key")


@CLIENTS.must(
    "7.52-huge-version",
    "a huge version of the public channel is not taken up",
    "a version counts if it is at most 1,000 above the highest known",
)
async def _huge_version(visit: Visit) -> None:
    guest, huge = await visit.guest(), 2**52
    await guest.say("PUBLIC_CHANNEL_UPDATED", {"version": huge, "wraps": []})
    await visit.comes_back()
    for frame in visit.house.said:
        version = frame.get("version")
        if frame.type == "PUBLIC_CHANNEL_KEY_SHARE" and type(version) is int and version >= huge:
            raise Breach(f"it shares a key of version {version}")


@CLIENTS.must(
    "8.50-odd-file-name",
    "a file whose name is a path does not kill it",
    "take the base name of a file's name, never a path",
)
async def _odd_file_name(visit: Visit) -> None:
    guest, bob = await visit.guest(), visit.house.bob
    payload = {
        "file_id": "44444444-4444-4444-8444-444444444444",
        "name": "../../../../conform",
        "size": 0,
        "sha256": hashlib.sha256(b"").hexdigest(),
        "mode": "dm",
        "sender": bob.id,
    }
    members = guest.frame("FILE_START", payload, to=visit.id)
    await guest.link.say({**members, "from": bob.id})
    await visit.comes_back()


@CLIENTS.extension(
    "11.73-bound-frames",
    "with bind/1 its frames other than MSG_* and FILE_* carry bind, and a sig over it",
    "put bind {type, from, to, ts} into each payload that you sign for the link",
)
async def _bound_frames(visit: Visit) -> None:
    visit.check_announces("bind/1")
    judged = 0
    for frame in visit.house.said:
        if frame.type not in ("LIST_REQUEST", "PUBKEY_REQUEST", "PRESENCE_WATCH", "ACK"):
            continue
        due = {name: frame.members.get(name) for name in ("type", "from", "to", "ts")}
        same(f"bind of {frame.type}", frame.get("bind"), due)
        if not visit.key.signed(frame.sig, canonical(frame.payload)):
            raise Breach(f"the sig of {frame.type} does not verify")
        judged += 1
    if not judged:
        raise Unjudged("it said nothing that needs it; have it ask for the list")
