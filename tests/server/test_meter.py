"""The bytes of a WebSocket, watched before they are kept (threats S1, S11)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.server import framing
from socp.server.intake import Intake
from socp.server.meter import Meter
from socp.wire import limits

LIMIT = limits.FRAME_BYTES_UNIDENTIFIED


class Reader:
    """Stands for aiohttp's."""

    def __init__(self) -> None:
        self.fed = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.fed += data
        return False, b""

    def feed_eof(self) -> None:
        pass


class Scene:
    def __init__(self) -> None:
        self.reader = Reader()
        self.now = 0.0
        self.breaches: list[tuple[int, str]] = []
        self.account = Intake(1 << 30, lambda _: None, lambda _: None).open(self)
        self.meter = Meter(self.reader, self.account, lambda: self.now)
        self.unfinished: list[float] = []  # when a message had begun whose end was not there
        self.meter.watch(
            lambda code, reason: self.breaches.append((code, reason)),
            lambda: self.unfinished.append(self.now),
        )

    def pause(self) -> None:
        raise AssertionError("there is room enough")

    resume = give_way = pause

    def feed(self, data: bytes, piece: int = 0) -> None:
        for at in range(0, len(data), piece or len(data) or 1):
            self.meter.feed_data(data[at : at + piece] if piece else data)

    @property
    def codes(self) -> list[int]:
        return [code for code, _ in self.breaches]


def masked(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    frame = framing.from_dialler(opcode, data)
    return frame if final else bytes([frame[0] & 0x7F]) + frame[1:]


CONTINUATION = 0x0

frames = st.lists(
    st.tuples(
        st.sampled_from([framing.TEXT, framing.BINARY, framing.PING, framing.PONG]),
        st.integers(0, 125) | st.integers(126, 70_000).filter(lambda n: n <= LIMIT),
    ).map(lambda f: masked(f[0], bytes(min(f[1], 125) if f[0] >= 8 else f[1]))),
    max_size=6,
)


@given(frames, st.integers(1, 5000))
def test_frames_that_keep_the_rules_go_through_unchanged_however_they_are_cut(
    parts: list[bytes], piece: int
) -> None:
    scene, whole = Scene(), b"".join(parts)
    scene.feed(whole, piece)
    assert scene.reader.fed == whole
    assert not scene.breaches
    assert scene.meter.unfinished_since is None


@given(st.binary(max_size=300), st.integers(1, 40))
def test_garbage_is_a_breach_or_nothing(data: bytes, piece: int) -> None:
    scene = Scene()
    scene.feed(data, piece)
    assert len(scene.breaches) <= 1
    assert data.startswith(scene.reader.fed)


@pytest.mark.spec("1")
@pytest.mark.parametrize("piece", [0, 1, 7])
def test_a_long_message_is_refused_before_it_has_come(piece: int) -> None:
    scene = Scene()
    good = masked(framing.TEXT, b"{}")
    scene.feed(good, piece)
    scene.feed(masked(framing.TEXT, bytes(LIMIT + 1))[:14], piece)
    assert scene.codes == [1009]
    assert scene.reader.fed.startswith(good)
    assert len(scene.reader.fed) <= len(good) + 14


def test_a_good_frame_before_a_bad_one_in_the_same_bytes_is_kept() -> None:
    scene, good = Scene(), masked(framing.TEXT, b"{}")
    scene.feed(good + masked(framing.TEXT, bytes(LIMIT + 1)) + good)
    assert scene.reader.fed == good
    scene.feed(good)
    assert scene.reader.fed == good, "nothing is kept after a breach"


def test_the_longest_message_allowed_is_allowed() -> None:
    scene = Scene()
    scene.feed(masked(framing.TEXT, bytes(LIMIT)))
    assert not scene.breaches
    scene.meter.limit = limits.FRAME_BYTES
    scene.feed(masked(framing.TEXT, bytes(limits.FRAME_BYTES)), 65_536)
    assert not scene.breaches
    scene.feed(masked(framing.TEXT, bytes(limits.FRAME_BYTES + 1))[:20])
    assert scene.codes == [1009]


def test_fragments_count_together() -> None:
    scene = Scene()
    scene.feed(masked(framing.TEXT, bytes(LIMIT), final=False))
    scene.feed(masked(framing.PING, b"still here"))
    scene.feed(masked(CONTINUATION, b"x"))
    assert scene.codes == [1009]


@pytest.mark.threat("S1")
def test_a_message_of_endless_empty_fragments_is_refused() -> None:
    scene, part = Scene(), masked(CONTINUATION, b"", final=False)
    scene.feed(masked(framing.TEXT, b"{", final=False) + part * 1_000 + masked(CONTINUATION, b"}"))
    assert not scene.breaches
    scene.feed(masked(framing.TEXT, b"{", final=False) + part * 2_000)
    assert scene.codes == [1008]


def test_a_length_beyond_all_memory_is_refused() -> None:
    scene = Scene()
    scene.feed(struct.pack("!BBQ", 0x81, 0x80 | 127, 2**63))
    scene.feed(b"mask")
    assert scene.codes == [1009]


def test_a_frame_without_a_mask_is_refused() -> None:
    scene = Scene()
    scene.feed(framing.from_server(framing.TEXT, b"{}"))
    assert scene.codes == [1002]


@pytest.mark.threat("S1")
def test_a_message_is_timed_from_its_first_byte_pings_or_not() -> None:
    scene = Scene()
    first = masked(framing.TEXT, b"{", final=False)
    scene.feed(first[:1])
    assert scene.meter.unfinished_since == 0
    scene.now = 5
    scene.feed(first[1:])
    scene.feed(masked(framing.PING, b"") * 3)
    scene.feed(masked(CONTINUATION, b"", final=False))
    assert scene.meter.unfinished_since == 0
    scene.feed(masked(CONTINUATION, b"}"))
    assert scene.meter.unfinished_since is None
    scene.now = 9
    scene.feed(masked(framing.TEXT, b"{}") + b"\x81")
    assert scene.meter.unfinished_since == 9
    assert scene.unfinished == [0, 9]


def test_half_a_message_before_anybody_watches_is_told_to_who_watches_first() -> None:
    meter = Meter(Reader(), Scene().account)
    meter.feed_data(masked(framing.TEXT, b"{}")[:3])
    told: list[str] = []
    meter.watch(lambda _code, _reason: None, lambda: told.append("unfinished"))
    assert told == ["unfinished"]


def test_a_breach_before_anybody_watches_is_told_to_who_watches_first() -> None:
    meter = Meter(Reader(), Scene().account)
    meter.feed_data(framing.from_server(framing.TEXT, b"{}"))
    told: list[int] = []
    meter.watch(lambda code, _reason: told.append(code), lambda: None)
    assert told == [1002]
