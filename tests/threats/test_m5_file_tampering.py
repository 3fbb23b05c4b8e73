"""M5: file chunks swapped, dropped, reordered, cut off; another name, size or hash; names that
lead out of the folder, links, files that are there already."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from socp.client.sinks import PARTS
from socp.crypto.symbolic import SymbolicSuite
from socp.files.sender import Offer, Sender
from socp.files.transfer import Broken
from socp.member import session
from socp.member.effects import FileDone, FileFailed, FileOffered
from socp.sim.frames import frame
from socp.sim.ids import an_id
from socp.sim.stranger import Stranger
from socp.wire import base64url
from socp.wire.canonical import to_members
from socp.wire.envelope import Envelope, decode
from socp.wire.features import CONTENT, USER_FEATURES
from tests.client.people import Friend, Person, two
from tests.client.v13_server import Link, serving
from tests.sim.town import Town, town

NAME = "plan.bin"
HYBRID = hashlib.shake_128(b"hybrid").digest(600_000)  # 3 chunks
BARE = hashlib.shake_128(b"v1.3").digest(1_000)  # 3 chunks as well
KINDS = ("FILE_START", "FILE_CHUNK", "FILE_END")

HYBRID_ALONE = tuple(feature for feature in USER_FEATURES if feature != CONTENT)
Frames = list[Envelope]
Tampering = Callable[[Frames], Frames]


def changed(envelope: Envelope, **members: object) -> Envelope:
    """The frame with other members in its payload."""
    e = envelope
    return decode(frame(e.type, {**e.members, **members}, from_=e.from_, to=e.to, ts=e.ts))


def before_the_reader(t: Town, tamper: Tampering) -> None:
    """From now on b, which is bob's server, holds his files back until they are whole, changes
    them, and signs them as it signs all that it hands over."""
    held: Frames = []

    def tap(data: bytes) -> Iterable[bytes]:
        envelope = decode(data)
        if envelope.type not in KINDS:
            return (data,)
        held.append(envelope)
        if envelope.type != "FILE_END":
            return ()
        tampered, held[:] = tamper(list(held)), []
        return [
            frame(e.type, e.members, from_=e.from_, to=e.to, ts=e.ts, key=t.b.key, bind=True)
            for e in tampered
        ]

    assert t.bob.wire is not None
    t.bob.wire.down_tap = tap


@pytest.fixture
def attempt_once(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `content/1` nobody goes on with a file, or begins it again: what these tests change
    stays changed."""
    monkeypatch.setattr(session, "USER_FEATURES", HYBRID_ALONE)


def sends(t: Town, form: str) -> bytes:
    """Alice, or a client of plain v1.3 by hand, sends bob the file; its content."""
    if form == "hybrid":
        t.alice.sends_file(t.bob, NAME, HYBRID)
        t.run(10)
        return HYBRID
    send_by_hand(t, v13_user(t), BARE)
    t.run(5)
    return BARE


def v13_user(t: Town) -> Stranger:
    """Somebody at a whose client knows no extension."""
    victor = t.world.add_stranger("victor")
    victor.dials(t.a)
    t.run(0.1)
    victor.hello()
    t.run(1)
    return victor


def send_by_hand(t: Town, victor: Stranger, content: bytes) -> None:
    sha256 = hashlib.sha256(content)
    offer = Offer(
        file_id=an_id(content),
        to=t.bob.id,
        name=NAME,
        size=len(content),
        sha256=sha256.hexdigest(),
        chunk_hashes=sha256.digest(),
    )
    suite, ts, mono = t.world.suite, t.world.wall, 0
    sender = Sender(suite, victor.key, victor.id, offer, t.bob.key.public, hybrid=False)
    start = sender.start(ts, mono)
    victor.say("FILE_START", to_members(start), to=t.bob.id, ts=ts)
    while (end := sender.end(mono)) is None:
        mono += 1000
        if (want := sender.wants(mono)) is None:
            continue
        chunk = sender.chunk(want.index, content[want.offset : want.offset + want.size], ts)
        assert not isinstance(chunk, Broken)
        victor.say("FILE_CHUNK", to_members(chunk), to=t.bob.id, ts=ts)
    assert not isinstance(end, Broken)
    victor.say("FILE_END", to_members(end), to=t.bob.id, ts=ts)


# --- what changes the file: it must not arrive ---------------------------------------------------


def swap_two(frames: Frames) -> Frames:
    start, one, two_, *rest = frames
    return [start, changed(two_, index=0), changed(one, index=1), *rest]


def one_in_the_place_of_another(frames: Frames) -> Frames:
    start, one, _, *rest = frames
    return [start, one, changed(one, index=1), *rest]


def drop_the_first(frames: Frames) -> Frames:
    return [frames[0], *frames[2:]]


def drop_one(frames: Frames) -> Frames:
    return [*frames[:2], *frames[3:]]


def drop_the_last(frames: Frames) -> Frames:
    return [*frames[:-2], frames[-1]]


def close_the_gap(frames: Frames) -> Frames:
    start, one, _, three, end = frames
    return [start, one, changed(three, index=1), end]


def truncate_the_manifest_too(frames: Frames) -> Frames:
    start, one, two_, _, end = frames
    size = int(str(start.members["size"])) * 2 // 3
    return [changed(start, size=size, total=2), changed(one, total=2), changed(two_, total=2), end]


def flip_a_bit(frames: Frames) -> Frames:
    raw = bytearray(base64url.decode(str(frames[2].members["ciphertext"])))
    raw[100] ^= 1
    return [*frames[:2], changed(frames[2], ciphertext=base64url.encode(bytes(raw))), *frames[3:]]


def add_one(frames: Frames) -> Frames:
    return [*frames[:-1], changed(frames[-2], index=3), frames[-1]]


def another_name(frames: Frames) -> Frames:
    return [changed(frames[0], name="../../.bashrc"), *frames[1:]]


def a_shorter_size(frames: Frames) -> Frames:
    return [changed(frames[0], size=int(str(frames[0].members["size"])) - 1), *frames[1:]]


def a_longer_size(frames: Frames) -> Frames:
    return [changed(frames[0], size=int(str(frames[0].members["size"])) + 1), *frames[1:]]


def another_hash(frames: Frames) -> Frames:
    return [changed(frames[0], sha256="0" * 64), *frames[1:]]


def another_file_id(frames: Frames) -> Frames:
    other = "12345678-1234-4234-8234-123456789012"
    return [changed(one, file_id=other) for one in frames]


def another_time(frames: Frames) -> Frames:
    e = frames[0]
    return [
        decode(frame(e.type, e.members, from_=e.from_, to=e.to, ts=e.ts + 1)),
        *frames[1:],
    ]


HARMFUL: list[Tampering] = [
    swap_two,
    one_in_the_place_of_another,
    drop_the_first,
    drop_one,
    drop_the_last,
    close_the_gap,
    truncate_the_manifest_too,
    flip_a_bit,
    add_one,
    another_name,
    a_shorter_size,
    a_longer_size,
    another_hash,
    another_file_id,
    another_time,
]


@pytest.mark.threat("M5")
@pytest.mark.usefixtures("attempt_once")
@pytest.mark.parametrize("form", ["hybrid", "v1.3"])
@pytest.mark.parametrize("tamper", HARMFUL)
def test_a_file_that_its_readers_server_changed_does_not_arrive(
    tamper: Tampering, form: str
) -> None:
    t = town()
    before_the_reader(t, tamper)
    sends(t, form)
    t.run(120)  # what is missing is waited for
    assert t.bob.received_files == {}
    assert t.bob.told(FileDone) == []
    assert t.bob.told(FileFailed) or t.bob.refusals


# --- what does not: it arrives as it was sent ---------------------------------------------------


def nothing(frames: Frames) -> Frames:
    return frames


def backwards(frames: Frames) -> Frames:
    start, *chunks, end = frames
    return [start, *reversed(chunks), end]


def everything_twice(frames: Frames) -> Frames:
    *others, end = frames
    return [again for one in others for again in (one, one)] + [end, end]


@pytest.mark.threat("M5")
@pytest.mark.usefixtures("attempt_once")
@pytest.mark.parametrize("form", ["hybrid", "v1.3"])
@pytest.mark.parametrize("tamper", [nothing, backwards, everything_twice])
def test_a_file_in_another_order_arrives_as_it_was_sent_and_once(
    tamper: Tampering, form: str
) -> None:
    t = town()
    before_the_reader(t, tamper)
    content = sends(t, form)
    assert t.bob.received_files == {NAME: content}
    assert len(t.bob.told(FileOffered)) == len(t.bob.told(FileDone)) == 1
    assert t.bob.told(FileFailed) == []
    assert t.bob.refusals == []


@pytest.mark.threat("M5")
@pytest.mark.usefixtures("attempt_once")
@pytest.mark.parametrize("form", ["hybrid", "v1.3"])
def test_a_chunk_of_another_file_by_the_same_author_does_not_fit(form: str) -> None:
    t = town()
    victor = v13_user(t)
    kept: Frames = []

    def mix(frames: Frames) -> Frames:
        if not kept:
            kept.extend(frames)
            return frames
        file_id = frames[0].members["file_id"]
        return [*frames[:2], changed(kept[2], file_id=file_id), *frames[3:]]

    before_the_reader(t, mix)
    for content in (HYBRID, HYBRID[::-1]) if form == "hybrid" else (BARE, BARE[::-1]):
        if form == "hybrid":
            t.alice.sends_file(t.bob, NAME, content)
        else:
            send_by_hand(t, victor, content)
        t.run(10)
    assert t.bob.received_files == {NAME: HYBRID if form == "hybrid" else BARE}
    (failed,) = t.bob.told(FileFailed)
    assert "chunk 1" in failed.reason


# --- between clients that go on with a file: no attempt brings anything but the file itself -------

Change = Callable[[Envelope], Frames]
LONG = hashlib.shake_128(b"long").digest(4_000_000)


def of_each(t: Town, change: Change) -> None:
    """From now on b changes each frame of bob's files on its own."""

    def tap(data: bytes) -> Iterable[bytes]:
        envelope = decode(data)
        if envelope.type not in KINDS:
            return (data,)
        return [
            frame(e.type, e.members, from_=e.from_, to=e.to, ts=e.ts, key=t.b.key, bind=True)
            for e in change(envelope)
        ]

    t.bob.down_tap = tap
    assert t.bob.wire is not None
    t.bob.wire.down_tap = tap


def no_second_chunk(e: Envelope) -> Frames:
    return [] if e.members.get("index") == 1 else [e]


def an_early_end(e: Envelope) -> Frames:
    end = frame("FILE_END", {"file_id": e.members["file_id"]}, from_=e.from_, to=e.to, ts=e.ts)
    return [e, decode(end)] if e.members.get("index") == 1 else [e]


def an_index_further(e: Envelope) -> Frames:
    index = e.members.get("index")
    return [changed(e, index=int(str(index)) + 1) if e.type == "FILE_CHUNK" else e]


def another_manifest(e: Envelope) -> Frames:
    return [changed(e, name="../../.bashrc") if e.type == "FILE_START" else e]


@pytest.mark.threat("M5")
@pytest.mark.parametrize("change", [no_second_chunk, an_index_further, another_manifest])
def test_a_file_that_is_changed_in_every_attempt_never_arrives(change: Change) -> None:
    t = town()
    of_each(t, change)
    t.alice.sends_file(t.bob, NAME, LONG)
    t.run(300)
    assert t.bob.received_files == {}
    assert t.bob.told(FileDone) == t.alice.told(FileDone) == []


@pytest.mark.threat("M5")
@pytest.mark.parametrize("change", [no_second_chunk, an_early_end])
def test_a_file_that_was_cut_short_arrives_whole_once_nobody_cuts_it(change: Change) -> None:
    t = town()
    of_each(t, change)
    t.alice.sends_file(t.bob, NAME, LONG)
    t.run(5)
    of_each(t, lambda e: [e])
    t.run(200)
    assert t.bob.received_files == {NAME: LONG}
    assert len(t.bob.told(FileDone)) == len(t.alice.told(FileDone)) == 1


@pytest.mark.threat("M5")
@pytest.mark.threat("I11")
def test_a_file_whose_reader_is_killed_at_the_last_chunk_is_not_told_as_done() -> None:
    """At another server: the author's own server knows nothing of it yet."""
    t = town()
    killed = False

    def kill(e: Envelope) -> Frames:
        nonlocal killed
        if not killed and e.type == "FILE_END":
            killed = True
            t.bob.kill()
            return []
        return [e]

    of_each(t, kill)
    t.alice.sends_file(t.bob, NAME, LONG)
    t.run(100)
    assert killed
    assert [done.kept for done in t.alice.told(FileDone)] == [True]  # then it went to his mailbox
    assert t.alice.told(FileFailed) == []
    t.bob.start()
    t.run(60)
    assert t.bob.received_files == {NAME: LONG}
    assert [done.kept for done in t.alice.told(FileDone)][-1:] == [False]


# --- on a real disk -----------------------------------------------------------------------------

NAMES = [
    "../../alice/key.pem",
    "/etc/cron.d/job",
    "..\\..\\autoexec.bat",
    "C:\\Windows\\x.dll",
    ".bashrc",
    f"{PARTS}/x",
    "..",
    "taken.txt",
    "link.txt",
    "dangling.txt",
    "folder",
    "con.txt",
    "\u202etxt.exe",
    "a\x00b\nc",
]


async def receives(alice: Person, link: Link, bob: Friend, name: str, content: bytes) -> FileDone:
    """Bob's client, which says whatever it likes, sends alice one chunk under this name."""
    file_id = an_id(name)
    sha256 = hashlib.sha256(content).hexdigest()
    reader = SymbolicSuite(1).parse_public(link.heard[0]["payload"]["pubkey"])
    start = {"file_id": file_id, "name": name, "size": len(content), "sha256": sha256}
    ciphertext = base64url.encode(reader.seal(content))
    await bob.frame(link, "FILE_START", start)
    await bob.frame(link, "FILE_CHUNK", {"file_id": file_id, "index": 0, "ciphertext": ciphertext})
    await bob.frame(link, "FILE_END", {"file_id": file_id})
    return await alice.hears(FileDone, lambda done: done.file_id == file_id)


def landed_well(path: Path, folder: Path, content: bytes) -> None:
    assert path.parent == folder
    assert path.name.isprintable()
    assert not path.name.startswith(".")
    assert not path.is_symlink()
    assert path.read_bytes() == content


@pytest.mark.threat("M5")
async def test_whatever_its_author_calls_it_a_file_harms_no_other(tmp_path: Path) -> None:
    precious, nowhere = tmp_path / "precious", tmp_path / "nowhere"
    precious.write_bytes(b"precious")
    folder = tmp_path / "downloads"
    (folder / "folder").mkdir(parents=True)
    (folder / "taken.txt").write_bytes(b"mine")
    (folder / "link.txt").symlink_to(precious)
    (folder / "dangling.txt").symlink_to(nowhere)
    suite = SymbolicSuite(1)
    async with serving() as server, two(tmp_path, server, suite) as (alice, link, bob):
        key = (tmp_path / "alice" / "key.pem").read_bytes()
        for number, name in enumerate(NAMES):
            content = b"content %d" % number
            done = await receives(alice, link, bob, name, content)
            landed_well(Path(done.path), folder, content)
        assert (tmp_path / "alice" / "key.pem").read_bytes() == key
    assert precious.read_bytes() == b"precious"
    assert set(os.listdir(tmp_path)) == {"alice", "downloads", "precious"}
    assert (folder / "taken.txt").read_bytes() == b"mine"
    assert (folder / "link.txt").is_symlink()
    assert list((folder / "folder").iterdir()) == []
    assert list((folder / PARTS).iterdir()) == []
