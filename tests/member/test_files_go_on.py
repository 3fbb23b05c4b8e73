"""Files between clients with `content/1`: they go on where they stand, and are done when their
readers say so (section 8)."""

from __future__ import annotations

import hashlib

import pytest

from socp.crypto import hybrid
from socp.files.sender import FIRST_WORD_MS, Offer, Sender
from socp.files.transfer import (
    REPORT_BYTES,
    REPORTING_AUTHORS_MAX,
    SILENCE_MS,
    WINDOW_LIVE_BYTES,
)
from socp.member.effects import (
    FileDone,
    FileFailed,
    FileOffered,
    FileProgress,
    FileWaits,
)
from socp.member.events import (
    AcceptKey,
    CancelFile,
    ChunkRead,
    FileStored,
    ReadFailed,
    SinkOpened,
    StoreFailed,
)
from socp.member.file_effects import (
    DropPart,
    DropSink,
    FinishSink,
    LeaveSink,
    OpenSink,
    OpenSource,
    ReadChunk,
    WriteChunk,
)
from socp.member.incoming import OPEN_PER_AUTHOR_MAX
from socp.member.records import FileStage
from socp.wire import base64url, content
from socp.wire.canonical import to_members
from socp.wire.content import FileState
from socp.wire.payloads import FileChunk, FileEnd, Payload
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend, an_id
from tests.member.test_files import FILE, PIECE, acks, hashes, offers

pytestmark = pytest.mark.spec("8")
PIECES = 12
DATA = hashlib.shake_128(b"a file").digest(PIECES * PIECE - 7)
WINDOW = WINDOW_LIVE_BYTES // PIECE
REPORT = REPORT_BYTES // PIECE
DAYS_31_MS = 31 * 24 * 3_600_000


@pytest.fixture
def desk() -> Desk:
    return Desk().attaches()


@pytest.fixture
def alice(desk: Desk) -> Friend:
    return desk.friend("alice")


class Talk:
    """What a friend's client says of files, and what ours says to it."""

    def __init__(self, friend: Friend) -> None:
        self.friend = friend
        self.seq = 0

    def says(self, state: str, have: int = 0, file: str = FILE) -> None:
        self.seq += 1
        said = content.unpack(
            b'{"kind":"file_state","file_id":"%s","have":%d,"state":"%s"}'
            % (file.encode(), have, state.encode())
        )
        self.friend.sends(said, self.seq)

    def heard(self, file: str = FILE) -> list[tuple[str, int]]:
        """(state, have) of what went to them, each once."""
        said = {}
        for envelope in self.friend.desk.sent("MSG_DIRECT"):
            if envelope.to != self.friend.id:
                continue
            raw = base64url.decode(str(envelope.members["ciphertext"]))
            names = {"from_": envelope.from_, "to": envelope.to}
            plain = hybrid.open_(self.friend.key, raw, **names, ts=envelope.ts)
            body, place = content.decode(plain)
            if isinstance(body, FileState) and body.file_id == file:
                said[place.run, place.seq] = (str(body.state), body.have)
        return list(said.values())


class Disk:
    """The shell of somebody who sends: reads what is asked for."""

    def __init__(self, desk: Desk, data: bytes = DATA) -> None:
        self.desk, self.data, self.done = desk, data, 0

    def reads(self) -> list[int]:
        """All that is asked for, until nothing is; the indices of the chunks that went out."""
        before, idle = len(self.desk.sent("FILE_CHUNK")), 0
        while idle < 10:
            idle += 1
            for want in self.desk.did(ReadChunk)[self.done :]:
                piece = self.data[want.offset : want.offset + want.size]
                self.desk.event(ChunkRead(want.file_id, want.index, piece))
                self.done, idle = self.done + 1, 0
            self.desk.passes(0.1)
        return [int(str(e.members["index"])) for e in self.desk.sent("FILE_CHUNK")[before:]]


class Theirs:
    """A file that a friend sends to us, attempt by attempt, and our shell, which writes it."""

    def __init__(self, desk: Desk, friend: Friend, data: bytes = DATA, file: str = FILE) -> None:
        self.desk, self.friend, self.data, self.file = desk, friend, data, file
        self.sink = bytearray(len(data))
        self.written = 0
        self.key = b""
        self.begins()

    def begins(self) -> None:
        """Another attempt."""
        sha256 = hashlib.sha256(self.data).hexdigest()
        size, me = len(self.data), self.friend
        offer = Offer(self.file, self.desk.id, "notes.txt", size, sha256, hashes(self.data))
        self.sender = Sender(
            self.desk.suite,
            me.key,
            me.id,
            offer,
            self.desk.key.public,
            hybrid=True,
            reports=True,
            file_key=self.key,
        )
        self.key = self.sender.file_key

    def starts(self, ts: int = 0) -> None:
        ts = ts or self.desk.wall
        self.hears(self.sender.start(ts, self.desk.mono, 0), ts)

    def opens(self, have: int = 0) -> None:
        """Our shell looked through what is on the disk."""
        self.desk.event(SinkOpened(self.file, have))

    def sends(self, first: int, count: int) -> None:
        """So many chunks; what comes of them is written."""
        self.sender.heard(first, self.desk.mono)
        for index in range(first, first + count):
            self.desk.mono += 500
            want = self.sender.wants(self.desk.mono, 2**40)
            assert want is not None
            assert want.index == index
            piece = self.data[want.offset : want.offset + want.size]
            chunk = self.sender.chunk(index, piece, self.desk.wall)
            assert isinstance(chunk, FileChunk)
            self.hears(chunk)
        for write in self.desk.did(WriteChunk)[self.written :]:
            self.sink[write.offset : write.offset + len(write.data)] = write.data
            self.written += 1

    def ends(self) -> None:
        self.hears(FileEnd(file_id=self.file))

    def hears(self, payload: Payload, ts: int = 0) -> None:
        members = to_members(payload) | {"sender": self.friend.id}
        kind = type(payload).TYPE
        self.desk.hears(kind, members, from_=self.friend.id, bind=False, ts=ts)


# --- out ----------------------------------------------------------------------------------------


def test_a_file_is_done_when_its_readers_client_says_so_and_not_before(
    desk: Desk, alice: Friend
) -> None:
    talk, disk = Talk(alice), Disk(desk)
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    assert disk.reads() == []
    talk.says("wanted")
    assert disk.reads() == list(range(WINDOW))
    for have in range(REPORT, PIECES, REPORT):
        talk.says("wanted", have)
        disk.reads()
    assert len(desk.sent("FILE_CHUNK")) == PIECES
    assert len(desk.sent("FILE_END")) == 1
    acks(desk, "FILE_END")
    desk.passes(20)
    assert desk.told(FileDone) == []
    talk.says("done", PIECES)
    (done,) = desk.told(FileDone)
    assert (done.sending, done.kept, done.peer) == (True, False, alice.id)
    assert desk.store().outgoing_files == ()
    assert desk.member.idle


@pytest.mark.parametrize("why", ["link", "restart", "reader", "error"])
def test_a_file_that_broke_off_goes_on_by_itself_with_the_same_key(
    desk: Desk, alice: Friend, why: str
) -> None:
    talk, disk = Talk(alice), Disk(desk)
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    talk.says("wanted")
    disk.reads()
    if why == "reader":
        desk.goes(alice)
        desk.passes(2)
    elif why == "error":
        error = {"code": "USER_NOT_FOUND", "detail": "away", "msg_ref": FILE, "of": "FILE_CHUNK"}
        desk.hears("ERROR", error)
        desk.passes(10)
    else:
        desk.loses_the_link()
        if why == "restart":
            desk.again(desk.store())
        desk.attaches()
    if why != "error":
        desk.comes(alice)
        desk.passes(0.2)
    if why != "restart":
        assert len(desk.told(FileWaits)) == 1
    assert desk.told(FileFailed) == []
    first, second = desk.sent("FILE_START")
    assert first.ts < second.ts
    assert [first.members[same] for same in ("file_id", "sha256", "chunk_hashes")] == [
        second.members[same] for same in ("file_id", "sha256", "chunk_hashes")
    ]
    keys = [
        hybrid.open_(
            alice.key,
            base64url.decode(str(e.members["wrapped_key"])),
            from_=desk.id,
            to=alice.id,
            ts=e.ts,
        )
        for e in (first, second)
    ]
    assert keys[0] == keys[1]
    assert desk.did(OpenSource)[-1] == OpenSource(FILE, "/home/me/notes.txt", len(DATA), 7)
    acks(desk, "FILE_START")
    talk.says("wanted", 4)
    assert disk.reads() == list(range(4, 4 + WINDOW))


def test_a_piece_that_was_read_for_an_earlier_attempt_is_left(desk: Desk, alice: Friend) -> None:
    talk = Talk(alice)
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    talk.says("wanted")
    (want,) = desk.did(ReadChunk)
    desk.loses_the_link()
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    desk.event(ChunkRead(FILE, want.index, DATA[: want.size]))
    assert desk.sent("FILE_CHUNK") == []


def test_a_reader_that_says_nothing_is_asked_again_later(desk: Desk, alice: Friend) -> None:
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    desk.passes(FIRST_WORD_MS / 1000 + 1)
    (waits,) = desk.told(FileWaits)
    assert "their client does not say that it gets it; it goes on by itself" in waits.reason
    desk.passes(10)
    assert len(desk.sent("FILE_START")) == 2


def test_a_reader_that_has_too_much_to_do_is_asked_again_later(desk: Desk, alice: Friend) -> None:
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    Talk(alice).says("paused")
    assert "alice's client takes it later" in desk.told(FileWaits)[0].reason
    desk.passes(10)
    assert len(desk.sent("FILE_START")) == 2


def test_a_reader_who_does_not_want_it_ends_it(desk: Desk, alice: Friend) -> None:
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    Talk(alice).says("refused")
    assert "alice does not want it" in desk.told(FileFailed)[0].reason
    assert desk.store().outgoing_files == ()


@pytest.mark.threat("I2")
def test_what_somebody_else_says_of_a_file_counts_for_nothing(desk: Desk, alice: Friend) -> None:
    mallory = Talk(desk.friend("mallory"))
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    for state in ("wanted", "refused", "done"):
        mallory.says(state)
    assert not desk.told(FileDone)
    assert not desk.told(FileFailed)
    assert Disk(desk).reads() == []
    assert desk.refusals == []


def test_who_stops_a_file_says_so_to_its_reader(desk: Desk, alice: Friend) -> None:
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    desk.event(CancelFile(FILE))
    assert Talk(alice).heard() == [("refused", 0)]
    assert "you stopped it" in desk.told(FileFailed)[0].reason


@pytest.mark.parametrize("when", ["read", "changed", "waiting"])
def test_a_reader_does_not_wait_for_the_rest_of_a_file_that_cannot_be_read_any_more(
    desk: Desk, alice: Friend, when: str
) -> None:
    talk = Talk(alice)
    offers(desk, alice.id, DATA)
    acks(desk, "FILE_START")
    talk.says("wanted")
    if when == "changed":
        Disk(desk, DATA[::-1]).reads()
    else:
        Disk(desk).reads()
        if when == "waiting":
            desk.again(desk.store())
            desk.attaches()
            desk.comes(alice)
            desk.passes(0.2)
        desk.event(ReadFailed(FILE, "No such file"))
    assert len(desk.told(FileFailed)) == 1
    assert talk.heard() == [("refused", 0)]


def test_files_to_one_reader_share_a_window_and_each_gets_its_turn(
    desk: Desk, alice: Friend
) -> None:
    talk, disk, two = Talk(alice), Disk(desk), an_id("two")
    for file in (FILE, two):
        offers(desk, alice.id, DATA, file)
        acks(desk, "FILE_START", file)
        talk.says("wanted", file=file)
    assert len(disk.reads()) == WINDOW
    have = {FILE: 0, two: 0}
    for _ in range(2 * PIECES):
        for e in desk.sent("FILE_CHUNK"):
            have[str(e.members["file_id"])] = int(str(e.members["index"])) + 1
        for file, chunks in have.items():
            talk.says("wanted", chunks, file=file)
        disk.reads()
        if len(desk.sent("FILE_END")) == 1:
            break
    # When the first of them is through, the other is nearly so.
    assert min(have.values()) >= PIECES - 2 * WINDOW


def test_the_file_is_not_there_any_more(desk: Desk, alice: Friend) -> None:
    desk.goes(alice)
    offers(desk, alice.id, DATA)
    desk.again(desk.store())
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    desk.event(ReadFailed(FILE, "No such file"))
    assert "No such file" in desk.told(FileFailed)[0].reason
    assert desk.store().outgoing_files == ()


def test_who_never_comes_is_given_up_after_30_days(desk: Desk, alice: Friend) -> None:
    desk.goes(alice)
    offers(desk, alice.id, DATA)
    desk.wall += DAYS_31_MS
    desk.passes(0.1)
    assert "did not come for 30 days" in desk.told(FileFailed)[0].reason


def test_what_a_mailbox_has_is_told_and_told_again_when_its_reader_has_it() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    offers(desk, alice.id, DATA[: PIECE // 2])
    desk.hears("ACK", {"msg_ref": FILE, "of": "FILE_START", "status": "queued"})
    assert Disk(desk, DATA[: PIECE // 2]).reads() == [0]
    for of in ("FILE_CHUNK", "FILE_END"):
        desk.hears("ACK", {"msg_ref": FILE, "of": of, "status": "queued"})
    desk.again(desk.store())
    desk.attaches()
    desk.comes(alice)
    desk.passes(1)
    assert len(desk.sent("FILE_START")) == 1
    Talk(alice).says("done", 1)
    assert [done.kept for done in desk.told(FileDone)] == [True, False]


def test_what_was_not_whole_in_the_mailbox_goes_once_more() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    offers(desk, alice.id, DATA[: PIECE // 2])
    desk.hears("ACK", {"msg_ref": FILE, "of": "FILE_START", "status": "queued"})
    Disk(desk, DATA[: PIECE // 2]).reads()
    for of in ("FILE_CHUNK", "FILE_END"):
        desk.hears("ACK", {"msg_ref": FILE, "of": of, "status": "queued"})
    desk.comes(alice)
    Talk(alice).says("paused", 0)
    desk.passes(0.2)
    assert len(desk.sent("FILE_START")) == 2


# --- in -----------------------------------------------------------------------------------------


def test_its_author_is_told_where_a_file_stands_and_that_it_is_here(
    desk: Desk, alice: Friend
) -> None:
    talk, theirs = Talk(alice), Theirs(desk, alice)
    theirs.starts()
    (opened,) = desk.did(OpenSink)
    assert (opened.chunk_bytes, opened.chunk_hashes) == (PIECE, hashes(DATA))
    assert len(opened.part) == 32
    assert talk.heard() == []
    theirs.opens()
    assert talk.heard() == [("wanted", 0)]
    theirs.sends(0, PIECES)
    assert talk.heard() == [("wanted", have) for have in range(0, PIECES, REPORT)]
    theirs.ends()
    assert len(desk.did(FinishSink)) == 1
    assert talk.heard()[-1] != ("done", PIECES)
    desk.event(FileStored(FILE, "x"))
    assert talk.heard()[-1][0] == "done"
    assert bytes(theirs.sink) == DATA
    assert desk.told(FileProgress)[-1].bytes_per_s > 0


def test_a_few_chunks_of_each_of_many_files_are_reported_too(desk: Desk, alice: Friend) -> None:
    """They fill the window of their author, who waits for a word on any of them."""
    files = [an_id(f"{n}") for n in range(WINDOW)]
    for file in files:
        theirs = Theirs(desk, alice, file=file)
        theirs.starts()
        theirs.opens()
        theirs.sends(0, 1)
    words = [Talk(alice).heard(file) for file in files]
    assert sum(word[-1] == ("wanted", 1) for word in words) > WINDOW - REPORT


@pytest.mark.parametrize("why", ["link", "restart", "silence", "author", "disk"])
def test_what_is_here_of_a_file_stays_and_it_goes_on_from_there(
    desk: Desk, alice: Friend, why: str
) -> None:
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 5)
    if why == "silence":
        desk.passes(SILENCE_MS / 1000 + 1)
    elif why == "author":
        desk.goes(alice)
        desk.comes(alice)
    elif why == "disk":
        desk.event(StoreFailed(FILE, "no space left"))
    else:
        desk.loses_the_link()
        if why == "restart":
            desk.again(desk.store())
        desk.attaches()
        desk.comes(alice)
    assert not desk.did(DropSink)
    assert not desk.told(FileFailed)
    (waits,) = desk.told(FileWaits)
    assert (waits.done, waits.sending) == (5 * PIECE, False)
    assert waits.reason.endswith("; it goes on by itself")
    assert desk.did(LeaveSink) == [LeaveSink(FILE)]

    theirs.begins()
    theirs.starts()
    first, second = desk.did(OpenSink)
    assert first == second
    theirs.opens(4)  # the disk lost one
    assert talk.heard()[-1] == ("wanted", 4)
    theirs.sends(4, PIECES - 4)
    theirs.ends()
    assert len(desk.did(FinishSink)) == 1
    assert bytes(theirs.sink) == DATA
    offered = len(desk.told(FileOffered))
    assert offered == (2 if why == "restart" else 1)


def test_an_author_who_says_their_manifest_again_is_told_again_where_it_stands(
    desk: Desk, alice: Friend
) -> None:
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 2)
    theirs.begins()
    theirs.starts()
    assert talk.heard() == [("wanted", 0), ("wanted", 2)]
    assert len(desk.did(OpenSink)) == 1


@pytest.mark.threat("M5")
def test_another_file_under_the_same_id_does_not_mix_with_the_first(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 2)
    other = Theirs(desk, alice, DATA[::-1])
    other.starts()
    assert len(desk.did(OpenSink)) == 1
    desk.loses_the_link()
    desk.attaches()
    desk.comes(alice)
    other.begins()
    other.starts()
    first, second = desk.did(OpenSink)
    assert first.part != second.part


def test_a_chunk_for_a_file_that_is_not_open_has_its_author_begin_again(
    desk: Desk, alice: Friend
) -> None:
    """Our link broke and was there again before anybody noticed."""
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 1)
    desk.loses_the_link()
    desk.attaches()
    desk.comes(alice)
    theirs.sends(1, 3)
    assert talk.heard() == [("wanted", 0), ("paused", 0)]
    assert len(desk.did(WriteChunk)) == 1


def test_an_end_without_all_chunks_has_its_author_begin_again(desk: Desk, alice: Friend) -> None:
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 4)
    theirs.ends()
    assert talk.heard()[-1] == ("paused", 4)
    assert not desk.did(FinishSink)
    assert not desk.told(FileFailed)


def test_an_end_that_comes_before_the_disk_was_looked_through_waits_for_that(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.sends(2, PIECES - 2)
    theirs.ends()
    assert desk.did(FinishSink) == []
    theirs.opens(2)
    assert len(desk.did(FinishSink)) == 1


def test_a_file_that_is_over_is_answered_with_what_became_of_it_even_after_a_restart(
    desk: Desk, alice: Friend
) -> None:
    talk = Talk(alice)
    for name, end in (("done", FileStored), ("refused", CancelFile)):
        file = an_id(name)
        theirs = Theirs(desk, alice, DATA[:PIECE], file)
        theirs.starts()
        theirs.opens()
        theirs.sends(0, 1)
        theirs.ends()
        desk.event(CancelFile(file) if end is CancelFile else FileStored(file, "x"))
        before = talk.heard(file)
        assert before[-1][0] == name
        desk.again(desk.store())
        desk.attaches()
        desk.comes(alice)
        theirs.begins()
        theirs.starts()
        assert [state for state, _ in talk.heard(file)[len(before) :]] == [name]
    assert len(desk.told(FileOffered)) == 2


def test_more_authors_at_a_time_than_fit_a_link_are_asked_to_wait(desk: Desk) -> None:
    friends = [desk.friend(f"friend {n}") for n in range(REPORTING_AUTHORS_MAX + 1)]
    for n, friend in enumerate(friends):
        theirs = Theirs(desk, friend, file=an_id(f"file {n}"))
        theirs.starts()
        theirs.opens()
    *_, last = friends
    assert len(desk.did(OpenSink)) == REPORTING_AUTHORS_MAX
    assert Talk(last).heard(an_id(f"file {len(friends) - 1}")) == [("paused", 0)]
    assert desk.refusals == []


def test_of_what_lay_in_the_mailbox_only_the_end_is_reported() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts(desk.wall - 3_600_000)
    theirs.opens()
    theirs.sends(0, PIECES)
    theirs.ends()
    assert talk.heard() == []
    desk.event(FileStored(FILE, "x"))
    assert [state for state, _ in talk.heard()] == ["done"]


@pytest.mark.parametrize("here", [True, False])
def test_an_author_who_takes_their_file_back_ends_it(desk: Desk, alice: Friend, here: bool) -> None:
    theirs, talk = Theirs(desk, alice), Talk(alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 2)
    if not here:
        desk.loses_the_link()
        desk.attaches()
        desk.comes(alice)
    (opened,) = desk.did(OpenSink)
    talk.says("refused")
    assert "its sender stopped it" in desk.told(FileFailed)[0].reason
    assert desk.did(DropSink) == ([DropSink(FILE)] if here else [])
    assert desk.did(DropPart) == ([] if here else [DropPart(opened.part)])
    desk.wall += 5
    theirs.begins()
    theirs.starts()
    assert len(desk.did(OpenSink)) == 1


def test_what_is_partly_here_can_be_stopped_while_it_waits(desk: Desk, alice: Friend) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.opens()
    (opened,) = desk.did(OpenSink)
    desk.goes(alice)
    desk.event(CancelFile(FILE))
    assert desk.did(DropPart) == [DropPart(opened.part)]
    assert "you stopped it" in desk.told(FileFailed)[0].reason
    desk.comes(alice)
    desk.passes(0.2)
    assert Talk(alice).heard()[-1] == ("refused", 0)


def test_what_nobody_goes_on_with_is_removed_after_30_days(desk: Desk, alice: Friend) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.opens()
    (opened,) = desk.did(OpenSink)
    desk.loses_the_link()
    desk.again(desk.store())
    desk.wall += DAYS_31_MS
    desk.attaches()
    desk.passes(0.2)
    assert desk.did(DropPart) == [DropPart(opened.part)]
    assert desk.store().incoming_files == ()


@pytest.mark.threat("S5")
def test_an_author_who_begins_many_files_pushes_out_their_own(desk: Desk, alice: Friend) -> None:
    bob = desk.friend("bob")
    for name, friend in (("bobs", bob), *((f"{n}", alice) for n in range(OPEN_PER_AUTHOR_MAX + 5))):
        theirs = Theirs(desk, friend, DATA[:PIECE], an_id(name))
        theirs.starts()
        theirs.opens()
        desk.goes(friend)
        desk.comes(friend)
    files = desk.store().incoming_files
    assert len(files) == OPEN_PER_AUTHOR_MAX + 1
    assert len([file for file in files if file.author == bob.id]) == 1
    assert len(desk.did(DropPart)) == 5


@pytest.mark.threat("S5")
def test_what_is_checked_and_named_just_now_makes_no_room_for_others() -> None:
    """More small files than that lay in the mailbox, and come all at once."""
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    files = [an_id(f"{n}") for n in range(OPEN_PER_AUTHOR_MAX + 5)]
    for file in files:
        theirs = Theirs(desk, alice, DATA[:PIECE], file)
        theirs.starts(desk.wall - 3_600_000)
        theirs.opens()
        theirs.sends(0, 1)
        theirs.ends()
    assert desk.did(DropPart) == []
    for file in files:
        desk.event(FileStored(file, "x"))
    ends = {file.file_id: file.stage for file in desk.store().incoming_files}
    assert ends == dict.fromkeys(files, FileStage.DONE)


@pytest.mark.threat("S5")
def test_another_file_under_the_same_id_leaves_nothing_of_the_first(
    desk: Desk, alice: Friend
) -> None:
    for _ in range(3):
        theirs = Theirs(desk, alice)  # each time with another key
        theirs.starts()
        theirs.opens()
        theirs.sends(0, 2)
        desk.loses_the_link()
        desk.attaches()
        desk.comes(alice)
    first, second, _ = desk.did(OpenSink)
    assert desk.did(DropPart) == [DropPart(first.part), DropPart(second.part)]


@pytest.mark.threat("I9")
@pytest.mark.parametrize("features", [WITH_MAILBOX, WITHOUT_MAILBOX])
def test_a_file_by_a_key_that_is_claimed_comes_once_the_person_accepts_that(
    features: tuple[str, ...],
) -> None:
    desk = Desk(features).attaches()
    alice = desk.friend("alice")
    alice.key = desk.suite.generate()
    desk.comes(alice)
    theirs = Theirs(desk, alice)
    for _ in range(3):
        theirs.begins()
        theirs.starts()
    (refused,) = desk.refusals
    assert "alice's key changed on" in refused.reason
    assert "compare safety numbers" in refused.reason
    assert "the signature of its manifest does not hold" in refused.reason
    desk.event(AcceptKey(alice.id, alice.key.public.fingerprint, compared=True))
    desk.comes(alice)
    theirs.begins()
    theirs.starts()
    assert len(desk.did(OpenSink)) == 1


@pytest.mark.threat("M5")
def test_a_manifest_that_its_author_did_not_sign_ends_nothing_that_is_partly_here() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.opens()
    theirs.sends(0, 2)
    forged = to_members(theirs.sender.start(desk.wall, desk.mono)) | {"size": 7}
    desk.hears("FILE_START", forged, from_=alice.id, bind=False)
    desk.loses_the_link()
    desk.attaches()
    desk.comes(alice)
    theirs.begins()
    theirs.starts()
    assert len(desk.did(OpenSink)) == 2


@pytest.mark.threat("S5")
@pytest.mark.parametrize("slow", [True, False])
def test_who_trickles_keeps_nobody_out(desk: Desk, slow: bool) -> None:
    trickling = []
    for n in range(REPORTING_AUTHORS_MAX):
        theirs = Theirs(desk, desk.friend(f"mallory {n}"), file=an_id(f"file {n}"))
        theirs.starts()
        theirs.opens()
        trickling.append(theirs)
    for index in range(2 if slow else PIECES - 1):
        for theirs in trickling:
            theirs.sends(index, 1)
        desk.passes(40 if slow else 6)
    alice = desk.friend("alice")
    Theirs(desk, alice).starts()
    opened = [sink.file_id for sink in desk.did(OpenSink)]
    assert (FILE in opened) is slow
    first = trickling[0]
    if slow:
        assert desk.did(LeaveSink) == [LeaveSink(first.file)]
        assert Talk(first.friend).heard(first.file)[-1] == ("paused", 0)
        assert "too slowly while others wait" in desk.told(FileWaits)[0].reason
    else:
        assert desk.did(LeaveSink) == []
