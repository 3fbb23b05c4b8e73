"""The load: its frames are WebSocket's, its users say hello to a real server and are heard, and
references answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from socp.bench import direct, serving
from socp.bench.load_link import GONE, LoadLink, framed
from socp.bench.rounds import ACK, DELIVERED, OpenRound, Round
from socp.bench.serving import Server, bare_server, reference, sample_of
from socp.bench.setting import Setting, allow_files
from socp.bench.trouble import CannotMeasure
from socp.bench.user import Allowance, Kind, joined, leave
from socp.server import framing

Heard = list[tuple[bytes, bytes]]


@pytest.fixture
async def listening() -> tuple[LoadLink, Heard]:
    """A link whose server is this test, and what it heard."""
    heard: Heard = []
    link = LoadLink(lambda _, kind, frame: heard.append((kind, frame)))
    link.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    return link, heard


def frames() -> list[bytes]:
    """Short, middling and long."""
    return [
        b'{"type":"ACK"}',
        b'{"type":"A"%s}' % (b" " * 500),
        b'{"type":"B"%s}' % (b" " * 70_000),
    ]


@pytest.mark.parametrize("size", [1, 3, 1_000, 100_000, 1_000_000])
async def test_frames_are_heard_whole_however_they_are_cut(
    listening: tuple[LoadLink, Heard], size: int
) -> None:
    link, heard = listening
    data = b"".join(framing.from_server(framing.TEXT, frame) for frame in frames())
    for at in range(0, len(data), size):
        link.data_received(data[at : at + size])
    assert heard == [(kind, f) for kind, f in zip((b"ACK", b"A", b"B"), frames(), strict=True)]


async def test_the_type_of_a_frame_of_others_is_found_too(
    listening: tuple[LoadLink, Heard],
) -> None:
    link, heard = listening
    link.data_received(framing.from_server(framing.TEXT, b'{"from": "x", "type" : "USER_LIST"}'))
    assert heard[0][0] == b"USER_LIST"


@pytest.mark.parametrize("text", [b"", b"x" * 125, b"x" * 126, b"x" * 70_000])
def test_what_is_said_is_masked_as_a_server_wants_it(text: bytes) -> None:
    said = framed(text)
    assert said.endswith(text)
    assert said[: -len(text) or None][-4:] == b"\0\0\0\0"
    assert said[1] & 0x80
    bare = framing.from_server(framing.TEXT, text)
    assert len(said) == len(bare) + 4


async def test_a_round_ends_when_nobody_is_left_to_hear_of_it(
    listening: tuple[LoadLink, Heard],
) -> None:
    link, _ = listening
    talk = asyncio.create_task(Round({link: []}, goes_on=ACK, owed={ACK: 1}).run(1))
    await asyncio.sleep(0)
    link.connection_lost(None)
    with pytest.raises(CannotMeasure, match="the server ended every link"):
        await talk
    with pytest.raises(CannotMeasure, match="the server ended every link"):
        await Round({link: []}, goes_on=ACK, owed={ACK: 1}).run(1)


async def test_that_a_link_is_gone_is_heard(listening: tuple[LoadLink, Heard]) -> None:
    link, heard = listening
    link.connection_lost(None)
    assert heard == [(GONE, b"")]
    assert link.lost


async def test_who_is_turned_away_at_hello_says_so_at_once(folder: Path) -> None:
    closed = serving.serving(folder / "closed", "--registration", "closed")
    with closed as server, pytest.raises(CannotMeasure, match=r"NOT_ALLOWED|closed the link"):
        await joined(server.url, Kind.PLAIN, 1)


async def test_a_server_that_is_none_is_told_apart() -> None:
    link = LoadLink(lambda *_: None)
    link.connection_made(Nowhere())
    asyncio.get_running_loop().call_soon(link.data_received, b"HTTP/1.1 404 Not Found\r\n\r\n")
    with pytest.raises(ConnectionError, match="404"):
        await link.begin("host", "/")


class Nowhere(asyncio.Transport):
    """Takes everything."""

    def write(self, data: object) -> None:
        """And forgets it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def setting(folder: Path, url: str = "") -> Setting:
    return Setting(folder, lambda _: None, url, scale=0.02, pairs=1, quick=True)


async def test_the_smallest_run_of_direct_messages_has_every_figure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "SIGN_S", 0.1)
    monkeypatch.setattr(direct, "SIGN_THREADS", (2,))
    monkeypatch.setattr(direct, "PLAIN_USERS", 4)
    monkeypatch.setattr(direct, "FAST_EACH", 10)
    found = {each.key: each async for each in direct.measure(setting(folder))}
    assert {"signing-2", "signatures-2", "routing", "fast-sig", "half-load"} <= found.keys()
    assert found["signatures-2"].value == pytest.approx(2, abs=0.2)
    for key in ("signing-2", "routing", "fast-sig"):
        assert 0 < found[key].value < 1_000
        assert found[key].ours.processor_us is not None


async def test_what_is_refused_ends_a_round_and_says_why(folder: Path) -> None:
    with serving.serving(folder / "refusing") as server:
        one, other = users = await joined(server.url, Kind.PLAIN, 2)
        made = {one.link: one.directs("nobody", 1)}
        with pytest.raises(CannotMeasure, match="UUID"):
            await Round(made, goes_on=ACK, owed={ACK: 1}).run(1)
        said = [(one.link, other.link, frame) for frame in one.directs(other.id, 2)]
        assert len(await OpenRound(said).run(1_000)) == 2
        with pytest.raises(CannotMeasure, match="owed"):
            await short(Round({}, goes_on=ACK, owed={DELIVERED: 1}).run)
        leave(users)


async def short(run: Callable[[int], object], patience_s: float = 0.05) -> None:
    """Without the patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socp.bench.rounds.PATIENCE_S", patience_s)
        await run(1)  # type: ignore[misc]


async def test_nobody_there_is_a_reason_and_no_traceback() -> None:
    with pytest.raises(CannotMeasure, match="no link to the server"):
        await joined("ws://127.0.0.1:9", Kind.PLAIN, 1)


def test_a_reference_that_ends_is_a_reason_too() -> None:
    with pytest.raises(CannotMeasure), reference("trouble") as ended:
        ended.heard()


def test_what_needs_our_own_server_says_so(folder: Path) -> None:
    with pytest.raises(CannotMeasure, match="not with --url"):
        setting(folder, "ws://127.0.0.1:9").needs_own()


async def test_nobody_says_more_than_a_server_takes_of_them() -> None:
    allowance = Allowance()
    await allowance.take(50)
    with pytest.raises(ValueError, match="at once"):
        await allowance.take(119)


def test_open_files_are_allowed_as_far_as_the_machine_lets_us() -> None:
    assert 0 < allow_files(10) == 10


def test_the_bare_signer_says_how_much_it_did() -> None:
    with reference("bare_signer") as signer:
        sample = sample_of(signer.ask(1, 0.05))
    assert sample.count >= 1
    assert sample.processor_s is not None


async def test_the_bare_server_says_back_what_it_is_told() -> None:
    with bare_server() as bare:
        assert isinstance(bare, Server)
        assert bare.processor_s()
        assert json.loads('"' + bare.url + '"').startswith("ws://127.0.0.1:")
