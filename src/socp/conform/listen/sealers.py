"""Section 11: `hybrid/1` and `content/1`, what a client says to who can read them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from socp.conform import preimages, sealing
from socp.conform.canonical import b64
from socp.conform.contents import Content, NotContent, read_content, write_content
from socp.conform.expect import bytes_of, same, text_of
from socp.conform.figures import RSA_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.listen.visit import Visit
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Finding, Unjudged

SEALERS: Final[Section[Visit]] = Section()
_GAP_S: Final = 10


async def _said(visit: Visit, nth: int = 1) -> Frame:
    """A message of the guest to hal."""
    visit.check_announces("hybrid/1")
    hal = visit.house.hal.id
    hint = f"; have it send two messages to {hal}"
    return await visit.told("MSG_DIRECT", where=lambda f: _is_for(f, hal), hint=hint, nth=nth)


def _opened(visit: Visit, said: Frame) -> bytes:
    """What it says. Raises Breach."""
    raw, hal = bytes_of(said, "ciphertext"), visit.house.hal
    if len(raw) == RSA_BYTES:
        raise Breach("a bare RSA block, for somebody whose signed features have hybrid/1")
    if type(said.ts) is not int:
        raise Breach(f"ts is {said.ts!r:.40}")
    plain = sealing.opened(raw, visit.id, hal.id, hal.key, said.ts)
    if plain is None:
        raise Breach("it does not open with the reader's key for this author, reader and ts")
    return plain


async def _content(visit: Visit, nth: int = 1) -> tuple[Frame, Content]:
    visit.check_announces("content/1")
    said = await _said(visit, nth)
    try:
        return said, read_content(_opened(visit, said))
    except NotContent as fault:
        raise Breach(f"it is no content: {fault}") from fault


@SEALERS.extension(
    "11.150-hybrid",
    "what it says to somebody with hybrid/1 is sealed so, bound to author, reader and ts",
    'OAEP(content key) || nonce || AES-256-GCM, AAD = "socp-hybrid/1" || from || to || ts ||'
    " SHA-256(DER of the reader's key)",
)
async def _hybrid(visit: Visit) -> None:
    _opened(visit, await _said(visit))


@SEALERS.extension(
    "11.151-hybrid-content-sig",
    "its content_sig is over the whole ciphertext",
    "sign raw_ciphertext || from || to || ts, however long it is",
)
async def _content_sig(visit: Visit) -> None:
    said = await _said(visit)
    raw = bytes_of(said, "ciphertext")
    if type(said.ts) is not int:
        raise Breach(f"ts is {said.ts!r:.40}")
    forms = preimages.content_forms(raw, visit.id, visit.house.hal.id, said.ts).values()
    if not any(visit.key.signed(text_of(said, "content_sig"), form) for form in forms):
        raise Breach("it verifies in none of the forms of section 3")


@SEALERS.extension(
    "11.152-content",
    "what is sealed is JSON with v, kind, run, seq and prev",
    "write {v: 1, kind, run, seq, prev, ...}, run as 16 digits of hex; bare text only where the"
    " reader lacks content/1",
    rests_on="11.150-hybrid",
)
async def _is_content(visit: Visit) -> None:
    await _content(visit)


@SEALERS.extension(
    "11.153-content-first",
    "its first message to somebody new has seq 1 and no prev",
    "count from 1 per author, reader and run",
    rests_on="11.152-content",
)
async def _first(visit: Visit) -> None:
    _, content = await _content(visit)
    same("seq", content.seq, 1)
    same("prev", content.prev, "")


@SEALERS.extension(
    "11.154-content-next",
    "its next one has the next seq of the run, and the msg_ref of the first in prev",
    "prev is the msg_ref of your previous message there, not its text or time",
    rests_on="11.152-content",
)
async def _next(visit: Visit) -> None:
    first, begun = await _content(visit)
    _, content = await _content(visit, 2)
    same("run", content.run, begun.run)
    same("seq", content.seq, begun.seq + 1)
    assert isinstance(first.ts, int)
    raw, hal = bytes_of(first, "ciphertext"), visit.house.hal.id
    same("prev", content.prev, preimages.msg_ref(raw, visit.id, hal, first.ts))


# --- hal answers --------------------------------------------------------------------------------


async def says(visit: Visit, kind: str, *, skip: int = 0, **members: Any) -> None:
    """Hal says something to the guest; `skip`: so many numbers are passed over."""
    speech = visit.house.hal_speaks
    speech.seq += 1 + skip
    written = write_content(kind, speech.run, speech.seq, speech.prev, **members)
    speech.prev = await delivers(visit, written)


async def delivers(visit: Visit, plaintext: bytes, *, spoil: bool = False) -> str:
    """Any plaintext of hal, sealed for the guest; its msg_ref."""
    guest, hal, ts = await visit.guest(), visit.house.hal, now_ms()
    raw = sealing.sealed(plaintext, hal.id, visit.id, visit.key, ts)
    if spoil:
        raw = raw[:-1] + bytes([raw[-1] ^ 1])
    payload = {
        "ciphertext": b64(raw),
        "sender": hal.id,
        "sender_pub": hal.key.public.text,
        "content_sig": hal.key.sign(preimages.direct(raw, hal.id, visit.id, ts)),
    }
    await guest.say("USER_DELIVER", payload, to=visit.id, ts=ts)
    return preimages.msg_ref(raw, hal.id, visit.id, ts)


@SEALERS.extension(
    "11.155-resend",
    "asked by `resend` for a message of its own, it sends the same bytes again",
    "keep what you sent, and answer `resend {of_run, from_seq, to_seq}` by the frame as it was",
    rests_on="11.152-content",
)
async def _resend(visit: Visit) -> None:
    first, content = await _content(visit)
    sent = sum(_same_bytes(first, frame) for frame in visit.house.said)
    await says(visit, "resend", of_run=content.run, from_seq=content.seq, to_seq=content.seq)
    try:
        again = await visit.told(
            "MSG_DIRECT", where=lambda frame: _same_bytes(first, frame), nth=sent + 1
        )
    except Unjudged as fault:
        raise Breach(f"it did not come again: {fault}") from fault
    same("ts", again.ts, first.ts)
    same("content_sig", again.get("content_sig"), first.get("content_sig"))


def _same_bytes(one: Frame, other: Frame) -> bool:
    return other.type == "MSG_DIRECT" and one.get("ciphertext") == other.get("ciphertext")


@SEALERS.extension(
    "11.156-gap-asked",
    "a number that was passed over is asked for by `resend` after 10 s",
    "count what comes for each author and run, and ask for what is missing",
    waits_s=_GAP_S,
)
async def _gap_asked(visit: Visit) -> None:
    visit.check_announces("hybrid/1", "content/1")
    speech = visit.house.hal_speaks
    await says(visit, "text", body="before a gap")
    missing, prev = speech.seq + 1, speech.prev
    await says(visit, "text", skip=1, body="behind it")
    asked = await _asks_for(visit, speech.run, missing)
    written = write_content("text", speech.run, missing, prev, body="what was missing")
    await delivers(visit, written)  # or it is missing for a month
    if asked is None:
        raise Breach("it does not ask for it")


async def _asks_for(visit: Visit, run: str, seq: int) -> Content | None:
    """Its `resend` of that number, None where none comes."""
    hal, looked_at = visit.house.hal, set[str]()
    end = asyncio.get_running_loop().time() + _GAP_S + visit.wait_s
    while asyncio.get_running_loop().time() < end:
        for frame in tuple(visit.house.said):
            if not _is_for(frame, hal.id) or frame.text in looked_at:
                continue
            looked_at.add(frame.text)
            try:
                content = read_content(_opened(visit, frame))
            except (Breach, NotContent):
                continue
            said = content.members
            named = (said.get("of_run"), said.get("from_seq"))
            if content.kind == "resend" and named == (run, seq):
                return content
        await asyncio.sleep(0.1)
    return None


# --- what is hostile, or of another time --------------------------------------------------------


async def _survived(visit: Visit) -> None:
    """What came is behind it: a question behind that is answered, or it came back at least."""
    house = visit.house
    sent = len([f for f in house.said if _is_for(f, house.hal.id)])
    try:
        _, content = await _content(visit)
        await says(visit, "resend", of_run=content.run, from_seq=content.seq, to_seq=content.seq)
        within_s = house.manners.patience_s
        await visit.told(
            "MSG_DIRECT",
            where=lambda frame: _is_for(frame, house.hal.id),
            within_s=within_s,
            nth=sent + 1,
        )
    except Finding:
        await visit.comes_back()


async def _survives_quietly(visit: Visit, errors: int) -> None:
    """The same, and no ERROR came beside those that there were before."""
    await _survived(visit)
    await asyncio.sleep(visit.house.manners.quiet_s)
    if came := _errors(visit)[errors:]:
        raise Breach(f"{came[0].gist()} came, which nobody may send here")


def _errors(visit: Visit) -> list[Frame]:
    return [frame for frame in visit.house.said if frame.type == "ERROR"]


def _is_for(frame: Frame, reader: str) -> bool:
    return frame.type == "MSG_DIRECT" and frame.members.get("to") == reader


@SEALERS.extension(
    "11.157-unknown-kind",
    "a kind of a later version does not kill it",
    "show it as something that this version cannot show, and count it",
)
async def _unknown_kind(visit: Visit) -> None:
    visit.check_announces("hybrid/1", "content/1")
    await says(visit, "x-conform", x=[1.5, None, {"deep": []}])
    await _survived(visit)


_ODD: Final = (
    b"[]",
    b'{"v":1,"kind":"text"}',
    b'{"v":1,"kind":"text","run":"x","seq":-1,"prev":7,"body":"x"}',
    b'{"v":1,"kind":"text","run":"0123456789abcdef","seq":1,"prev":"","body":{"a":[]}}',
    b'{"v":1,"kind":"edit","run":"0123456789abcdef","seq":2,"prev":"","of":"","body":null}',
    b'{"v":1,"kind":"receipt","run":"0123456789abcdef","seq":3,"prev":"","of":"x","state":1}',
    b'{"v":1,"kind":"file_state","run":"0123456789abcdef","seq":4,"prev":"","file_id":"../x"}',
    b"{" * 1_000,
    b"\xff\xfe",
)


@SEALERS.extension(
    "11.158-odd-content",
    "content that is malformed does not kill it, and is not answered with an ERROR",
    "what is no content is bare text; what does not fit its kind cannot be shown",
)
async def _odd_content(visit: Visit) -> None:
    visit.check_announces("hybrid/1", "content/1")
    before = len(_errors(visit))
    for plaintext in _ODD:
        await delivers(visit, plaintext)
    await _survives_quietly(visit, before)


@SEALERS.extension(
    "11.159-altered-hybrid",
    "a hybrid/1 ciphertext that was altered does not kill it, and is not answered with an ERROR",
    "what does not open, and why, goes to nobody: it would be an oracle",
)
async def _altered(visit: Visit) -> None:
    visit.check_announces("hybrid/1")
    before = len(_errors(visit))
    await delivers(visit, b"altered on the way", spoil=True)
    await _survives_quietly(visit, before)
