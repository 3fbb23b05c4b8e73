"""A frame's outside (section 2): the one door through which bytes from strangers come in."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from socp.wire import bounds, flaws, limits, strict
from socp.wire.canonical import canonical, is_plain, ordered
from socp.wire.complaints import complaint
from socp.wire.errors import Code, PeerFault
from socp.wire.text import printable

CTRL_CLOSE: Final = "CTRL_CLOSE"
UNANSWERED: Final = frozenset({"ERROR", "ACK"})

_quoted: Final = json.encoder.encode_basestring_ascii
_CLOCK: Final = re.compile(r"your clock is (\d{1,13})\.(\d{3}) s (ahead|behind)")
_UNANSWERED_TYPE: Final = re.compile(rb'"type"\s*:\s*"(?:ERROR|ACK)"')
_SHORT_BYTES: Final = 8 * limits.KIB
_END_BYTES: Final = 512

_Type = Annotated[str, Meta(min_length=1, max_length=limits.TYPE_CHARS)]
_From = Annotated[str, Meta(max_length=limits.ADDRESSEE_CHARS)]
_To = Annotated[str, Meta(min_length=1, max_length=limits.ADDRESSEE_CHARS)]
_Ts = Annotated[int, Meta(ge=0, le=limits.INTEGER_MAX)]


class Envelope(msgspec.Struct, frozen=True, dict=True):
    """One frame. `payload` is the JSON text of its object exactly as received: `sig` covers it all.

    `from_` may be "" (a newcomer that asks for an id), `ts` is Unix ms, `sig` is "" where absent.
    """

    type: str
    from_: str
    to: str
    ts: int
    payload: bytes
    sig: str = ""

    @cached_property
    def members(self) -> dict[str, object]:
        """The payload as plain Python, unknown members included. Shared: not to be changed."""
        value, whole = strict.read(self.payload, what=printable(self.type))
        if not isinstance(value, dict):
            raise PeerFault(Code.BAD_FRAME, f"{printable(self.type)}: payload: expected an object")
        self.__dict__["whole"] = whole
        return value

    @cached_property
    def whole(self) -> bool:
        """Whether the payload surely has no fraction in it."""
        return bool(self.members) and bool(self.__dict__["whole"])

    @cached_property
    def again(self) -> bytes:
        """See `reencode`."""
        return encode(self.type, self.from_, self.to, self.ts, self.payload, self.sig)

    @cached_property
    def canonical(self) -> bytes:
        """The canonical form of the payload (section 3): what is signed and digested."""
        return canonical(self.members, whole=self.whole)


class _Frame(msgspec.Struct):
    """What msgspec reads of a frame whose JSON is known to be strict."""

    type: _Type
    from_: _From = msgspec.field(name="from")
    to: _To
    ts: _Ts
    payload: msgspec.Raw
    sig: str = ""


_frames: Final = msgspec.json.Decoder(_Frame)


def decode(data: str | bytes, *, max_bytes: int = limits.FRAME_BYTES) -> Envelope:
    """The frame in `data`, checked as section 2 says down to its last member.

    Only PeerFault leaves: TOO_LARGE (close 1009) for more than `max_bytes` of UTF-8, else
    BAD_FRAME, its detail naming what is wrong and where.
    """
    bounds.check_size(len(data), max_bytes)
    if isinstance(data, str):
        data = flaws.utf8(data, "frame")
        bounds.check_size(len(data), max_bytes)
    try:
        return _decoded(data)
    except PeerFault as fault:
        fault.answerable = not _is_unanswered(data)
        raise


def _decoded(data: bytes) -> Envelope:
    tree, whole = strict.parsed(data, "frame")
    try:
        frame = _frames.decode(data)
    except msgspec.ValidationError as error:
        strict.check_once(data, tree, "frame")
        return _no_frame(tree, error)
    assert isinstance(tree, dict)
    members = tree["payload"]
    # bytes() copies: a Raw would keep the whole frame's buffer alive.
    text = bytes(frame.payload)
    ours = whole and len(data) < strict.LONG and _is_our_form(data, tree, frame, text)
    if not ours:
        strict.check_once(data, tree, "frame")
    if not isinstance(members, dict):
        raise PeerFault(Code.BAD_FRAME, "frame: payload: expected an object")
    envelope = Envelope(frame.type, frame.from_, frame.to, frame.ts, text, frame.sig)
    envelope.__dict__.update(members=members, whole=whole)
    if ours and is_plain(text):
        envelope.__dict__["canonical"] = text
    return envelope


def _no_frame(tree: object, error: msgspec.ValidationError) -> Envelope:
    """Strict JSON, and no frame but for the one that needs no envelope (section 1)."""
    if not isinstance(tree, dict):
        raise PeerFault(Code.BAD_FRAME, "frame: expected an object") from None
    if tree.get("type") == CTRL_CLOSE:
        return Envelope(CTRL_CLOSE, "", "", 0, b"{}")
    raise PeerFault(Code.BAD_FRAME, f"frame: {complaint(error)}") from None


def _is_our_form(data: bytes, tree: dict[str, object], frame: _Frame, text: bytes) -> bool:
    """True where the payload's `text` is what we would write of it, with nothing but a frame's own
    members around it: so that no member stands twice. Nearly all frames are written so.

    Of those around it each has its colon, and others are in its strings.
    """
    if ordered(tree["payload"]) != text or b"\\" in data or len(tree) != 5 + ("sig" in tree):
        return False
    strings = (frame.type, frame.from_, frame.to, frame.sig)
    outside = len(tree) + sum([each.count(":") for each in strings])
    return data.count(b":") - text.count(b":") == outside


def _is_unanswered(data: bytes) -> bool:
    """True where these bytes, whatever is wrong with them, look like an ERROR or an ACK."""
    if len(data) > _SHORT_BYTES:
        data = data[:_END_BYTES] + data[-_END_BYTES:]
    return _UNANSWERED_TYPE.search(data) is not None


def encode(type: str, from_: str, to: str, ts: int, payload: bytes, sig: str) -> bytes:  # noqa: A002
    """The frame as JSON, with `payload`, the JSON text of an object, put in as it is.

    CTRL_CLOSE from nobody to nobody is the one frame without an envelope (section 1).
    """
    if type == CTRL_CLOSE and not from_ and not to:
        return b'{"type":"CTRL_CLOSE"}'
    head = f'{{"type":{_quoted(type)},"from":{_quoted(from_)},"to":{_quoted(to)},"ts":{ts}'
    tail = f',"sig":{_quoted(sig)}}}'
    return b"".join((head.encode("ascii"), b',"payload":', payload, tail.encode("ascii")))


def reencode(envelope: Envelope) -> bytes:
    """The same frame again, to relay it unchanged; unknown top-level members stay behind."""
    return envelope.again


def check_ts(ts: int, now: int) -> None:
    """PeerFault(BAD_FRAME) where `ts` is over 5 min from `now` (Unix ms), saying by how much."""
    ahead = ts - now
    if abs(ahead) <= limits.TS_WINDOW_MS:
        return
    seconds, ms = divmod(abs(ahead), 1000)
    detail = (
        f"ts is outside now ± {limits.TS_WINDOW_MS // 1000} s: your clock is {seconds}.{ms:03d} s "
        f"{'ahead' if ahead > 0 else 'behind'}; set it right, or correct ts by as much"
    )
    raise PeerFault(Code.BAD_FRAME, detail)


def clock_offset_ms(detail: str) -> int | None:
    """What to add to one's own clock, in ms, by the detail of such a fault; None: it is another."""
    said = _CLOCK.search(detail)
    if said is None:
        return None
    offset = int(said[1]) * 1000 + int(said[2])
    return -offset if said[3] == "ahead" else offset
