"""Files out and in, as the shell sees them (section 8)."""

from __future__ import annotations

import hashlib

import pytest

from socp.crypto import content_sig, rotation
from socp.crypto.keys import PublicKey
from socp.files.sender import Offer, Sender
from socp.files.transfer import (
    RECEIVING_BYTES_MAX,
    RECEIVING_MAX,
    RECEIVING_PER_AUTHOR_MAX,
    SENDING_ALL_MAX,
    SENDING_BYTES_MAX,
    SENDING_MAX,
    SILENCE_MS,
)
from socp.member import incoming
from socp.member.effects import (
    FileDone,
    FileFailed,
    FileOffered,
    FileProgress,
    FileWaits,
    GenerateChannelKey,
    Transmit,
    Trust,
)
from socp.member.events import (
    CancelFile,
    ChannelKeyGenerated,
    ChunkRead,
    FileStored,
    OfferFile,
    ReadFailed,
    StoreFailed,
)
from socp.member.file_effects import (
    DropSink,
    FinishSink,
    OpenSink,
    OpenSource,
    ReadChunk,
    WriteChunk,
)
from socp.member.outgoing import WAITING_MAX
from socp.member.records import LineState, Said, SaidMoved
from socp.wire import base64url
from socp.wire.canonical import to_members
from socp.wire.ids import PUBLIC
from socp.wire.payloads import Payload
from tests.member.desk import HYBRID_ALONE, Desk, Friend, an_id

PIECE = 256 * 1024
CONTENT = b"some content " * 1000
FILE = an_id("a file")


def hashes(content: bytes) -> bytes:
    pieces = (content[start : start + PIECE] for start in range(0, len(content), PIECE))
    return b"".join(hashlib.sha256(piece).digest() for piece in pieces)


def offers(desk: Desk, to: str, content: bytes = CONTENT, file_id: str = FILE) -> None:
    """The person sends a file."""
    sha256 = hashlib.sha256(content).hexdigest()
    path, modified_ns = "/home/me/notes.txt", 7
    size, pieces = len(content), hashes(content)
    desk.event(OfferFile(file_id, to, "notes.txt", size, sha256, pieces, path, modified_ns))


def reads(desk: Desk, content: bytes = CONTENT, done: int = 0) -> None:
    """The shell reads whatever is asked for, but the first `done` pieces, until nothing was for a
    second."""
    idle = 0
    while idle < 10:
        for want in desk.did(ReadChunk)[done:]:
            data = content[want.offset : want.offset + want.size]
            desk.event(ChunkRead(want.file_id, want.index, data))
            done, idle = done + 1, 0
        desk.passes(0.1)
        idle += 1


def acks(desk: Desk, of: str, file_id: str = FILE) -> None:
    desk.hears("ACK", {"msg_ref": file_id, "of": of})


def revoked(desk: Desk, friend: Friend) -> None:
    """They say that their id is dead."""
    said = rotation.revoke(friend.id, friend.key, 1, desk.wall).revoked
    members = {"user_id": friend.id, "rotations": [], "revoked": to_members(said)}
    desk.hears("KEY_HISTORY", members, to="*")


class Theirs:
    """A file that a friend sends to us, frame by frame."""

    def __init__(
        self,
        desk: Desk,
        friend: Friend,
        content: bytes = CONTENT,
        file_id: str = FILE,
        reader: PublicKey | None = None,
    ) -> None:
        self.desk, self.friend, self.content = desk, friend, content
        offer = Offer(
            file_id,
            desk.id,
            "notes.txt",
            len(content),
            hashlib.sha256(content).hexdigest(),
            hashes(content),
        )
        hybrid = "hybrid/1" in friend.features
        self.sender = Sender(
            desk.suite, friend.key, friend.id, offer, reader or desk.key.public, hybrid=hybrid
        )

    def starts(self) -> None:
        self.hears(self.sender.start(self.desk.wall, self.desk.mono))

    def goes_on(self) -> None:
        """All chunks and the end."""
        while True:
            self.desk.mono += 3_000
            want = self.sender.wants(self.desk.mono)
            if want is None:
                break
            data = self.content[want.offset : want.offset + want.size]
            chunk = self.sender.chunk(want.index, data, self.desk.wall)
            assert isinstance(chunk, Payload)
            self.hears(chunk)
        end = self.sender.end(self.desk.mono)
        assert isinstance(end, Payload)
        self.hears(end)

    def hears(self, payload: Payload) -> None:
        members = to_members(payload) | {"sender": self.friend.id}
        self.desk.hears(type(payload).TYPE, members, from_=self.friend.id, bind=False)


@pytest.mark.spec("8")
def test_a_file_goes_out_in_chunks_and_is_done_when_its_end_is_acked() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    offers(desk, alice.id)
    assert len(desk.sent("FILE_START")) == 1
    acks(desk, "FILE_START")
    reads(desk)
    assert len(desk.sent("FILE_CHUNK")) == len(desk.sent("FILE_END")) == 1
    assert desk.told(FileDone) == []
    acks(desk, "FILE_END")
    (done,) = desk.told(FileDone)
    assert (done.name, done.size, done.sending, done.peer) == (
        "notes.txt",
        len(CONTENT),
        True,
        alice.id,
    )


@pytest.mark.spec("8")
def test_progress_is_told_at_most_four_times_a_second() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    content = bytes(PIECE * 12)
    offers(desk, alice.id, content)
    acks(desk, "FILE_START")
    began = desk.mono
    reads(desk, content)
    told = desk.told(FileProgress)
    assert 0 < len(told) <= (desk.mono - began) / 250 + 1
    assert {(each.file_id, each.peer, each.size, each.sending) for each in told} == {
        (FILE, alice.id, len(content), True)
    }


@pytest.mark.spec("8")
def test_an_error_about_a_file_ends_it_with_what_the_server_said() -> None:
    desk = Desk().attaches()
    offers(desk, desk.friend("alice", *HYBRID_ALONE).id)
    error = {"code": "TOO_LARGE", "detail": "too big", "msg_ref": FILE, "of": "FILE_START"}
    desk.hears("ERROR", error)
    assert "too big" in desk.told(FileFailed)[0].reason
    assert desk.member.idle


@pytest.mark.spec("8")
@pytest.mark.parametrize(
    ("what", "word"),
    [("link", "link to the server was lost"), ("peer", "went away"), ("person", "you stopped")],
)
def test_a_file_that_cannot_go_on_is_told_with_the_reason(what: str, word: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    offers(desk, alice.id)
    acks(desk, "FILE_START")  # a chunk is asked for: their client cannot go on from there
    if what == "link":
        desk.loses_the_link()
    elif what == "peer":
        desk.goes(alice)
    else:
        desk.event(CancelFile(FILE))
    (failed,) = desk.told(FileFailed)
    assert word in failed.reason
    assert (failed.file_id, failed.peer, failed.name) == (FILE, alice.id, "notes.txt")
    assert failed.sending


@pytest.mark.spec("8")
def test_a_file_that_cannot_be_read_or_changes_is_told() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    offers(desk, alice.id)
    desk.event(ReadFailed(FILE, "Permission denied"))
    offers(desk, alice.id, file_id=an_id("two"))
    acks(desk, "FILE_START", an_id("two"))
    reads(desk, b"X" * len(CONTENT))
    assert ["Permission denied" in failed.reason for failed in desk.told(FileFailed)] == [
        True,
        False,
    ]
    assert "changed while it was being sent" in desk.told(FileFailed)[1].reason


@pytest.mark.spec("8")
@pytest.mark.parametrize("why", ["too large", "too many", "revoked", "ourselves"])
def test_a_file_that_cannot_begin_is_refused_with_the_reason(why: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    bob = desk.friend("bob", v13=True)
    if why == "too large":
        desk.event(OfferFile(FILE, bob.id, "x", 17 * 1024 * 1024, "0" * 64, bytes(32 * 68)))
    elif why == "too many":
        for number in range(SENDING_MAX + WAITING_MAX + 1):
            offers(desk, alice.id, file_id=an_id(f"{number}"))
    elif why == "revoked":
        revoked(desk, alice)
        offers(desk, alice.id)
    else:
        offers(desk, desk.id)
    (failed,) = desk.told(FileFailed)
    assert failed.reason
    assert failed.sending
    assert failed.file_id == (an_id(f"{SENDING_MAX + WAITING_MAX}") if why == "too many" else FILE)


@pytest.mark.spec("8")
def test_a_slow_transfer_to_a_v13_friend_is_announced_with_its_time() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", v13=True)
    content = bytes(4 * 1024 * 1024)
    offers(desk, bob.id, content)
    assert "notes.txt takes about" in desk.warnings[-1]
    order = [type(effect).__name__ for effect in desk.effects]
    assert order[::-1].index("Tell") > order[::-1].index("Transmit")


@pytest.mark.spec("8")
@pytest.mark.parametrize("v13", [False, True])
def test_a_file_comes_in_is_checked_by_the_shell_and_then_done(v13: bool) -> None:
    desk = Desk().attaches()
    theirs = Theirs(desk, desk.friend("alice", *HYBRID_ALONE, v13=v13))
    theirs.starts()
    (offered,) = desk.told(FileOffered)
    assert offered.trust is (Trust.NOT_BOUND if v13 else Trust.PINNED)
    assert desk.did(OpenSink) == [OpenSink(FILE, len(CONTENT))]
    theirs.goes_on()
    written = bytearray(len(CONTENT))
    for write in desk.did(WriteChunk):
        written[write.offset : write.offset + len(write.data)] = write.data
    assert written == CONTENT
    (finish,) = desk.did(FinishSink)
    assert finish.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert desk.told(FileDone) == []
    desk.event(FileStored(FILE, "/downloads/notes.txt"))
    assert desk.told(FileDone)[0].path == "/downloads/notes.txt"
    said = desk.kept(Said)[-1]
    assert (said.kind, said.text, said.file_id) == ("file", "notes.txt", FILE)


@pytest.mark.threat("M5")
def test_a_file_that_the_shell_finds_wrong_is_never_done() -> None:
    desk = Desk().attaches()
    theirs = Theirs(desk, desk.friend("alice", *HYBRID_ALONE))
    theirs.starts()
    theirs.goes_on()
    desk.event(StoreFailed(FILE, "its SHA-256 is another", wrong=True))
    assert desk.told(FileDone) == []
    assert desk.did(DropSink) == [DropSink(FILE)]
    assert desk.told(FileFailed)[0].reason == "its SHA-256 is another"


@pytest.mark.threat("M5")
def test_a_file_that_ends_early_is_dropped() -> None:
    desk = Desk().attaches()
    theirs = Theirs(desk, desk.friend("alice", *HYBRID_ALONE))
    theirs.starts()
    theirs.desk.hears("FILE_END", {"file_id": FILE}, from_=theirs.friend.id, bind=False)
    assert desk.did(FinishSink) == []
    assert desk.did(DropSink) == [DropSink(FILE)]


@pytest.mark.threat("M2")
def test_a_file_that_came_once_does_not_come_again_not_even_after_a_restart() -> None:
    desk = Desk().attaches()
    theirs = Theirs(desk, desk.friend("alice", *HYBRID_ALONE))
    start = theirs.sender.start(desk.wall, desk.mono)
    theirs.hears(start)
    theirs.goes_on()
    desk.event(FileStored(FILE, "x"))
    theirs.hears(start)
    desk.again(desk.store())
    desk.attaches()
    theirs.hears(start)
    assert len(desk.told(FileOffered)) == 1
    assert desk.refusals == []


@pytest.mark.threat("M4")
def test_a_file_whose_ciphertext_was_somebody_elses_is_broken_off() -> None:
    desk = Desk().attaches()
    bob, mallory = desk.friend("bob", v13=True), desk.friend("mallory", v13=True)
    sealed = desk.key.public.seal(b"bob's words")
    desk.hears("USER_DELIVER", bob.delivery(sealed))
    theirs = Theirs(desk, mallory, b"bob's words")
    theirs.starts()
    sig = content_sig.sign_chunk(mallory.key, sealed, mallory.id, desk.id, desk.wall, FILE, 0, 1)
    desk.hears(
        "FILE_CHUNK",
        {
            "file_id": FILE,
            "index": 0,
            "total": 1,
            "ciphertext": base64url.encode(sealed),
            "sender_pub": mallory.key.public.text,
            "content_sig": sig,
        },
        from_=mallory.id,
        bind=False,
    )
    assert desk.did(WriteChunk) == []
    assert "pass another's words off" in desk.told(FileFailed)[0].reason


@pytest.mark.threat("M9")
def test_a_plain_v13_file_from_a_friend_with_hybrid_is_refused() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    alice.features = ()
    Theirs(desk, alice).starts()
    assert desk.told(FileOffered) == []
    assert "as a plain v1.3 message although" in desk.refusals[0].reason


def unsigned(desk: Desk, author: str, to: str) -> None:
    """A manifest that anybody could have made."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    size = len(CONTENT)
    said = {"file_id": FILE, "name": "notes.txt", "size": size, "sha256": sha256, "mode": "dm"}
    desk.hears("FILE_START", said, from_=author, to=to)


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
def test_a_file_that_nobody_signed_is_shown_as_such() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", v13=True)
    unsigned(desk, alice.id, desk.id)
    assert desk.told(FileOffered)[0].trust is Trust.UNSIGNED


@pytest.mark.threat("M5")
@pytest.mark.parametrize("to", ["", PUBLIC])
def test_a_file_that_nobody_signed_is_not_from_a_friend_whose_client_signs(to: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    unsigned(desk, alice.id, to or desk.id)
    assert desk.told(FileOffered) == []
    assert "nobody signed it" in desk.refusals[0].reason


@pytest.mark.threat("I10")
def test_a_file_that_a_former_key_signed_is_shown_as_such() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    old = Theirs(desk, alice).sender.start(desk.wall, desk.mono)
    signed_ts = desk.wall
    desk.wall += 60_000
    step = rotation.rotate(alice.id, alice.key, desk.suite.generate(), 2, desk.wall).rotation
    said = {"user_id": alice.id, "rotations": [to_members(step)]}
    desk.hears("KEY_HISTORY", said, to="*")
    desk.hears("FILE_START", to_members(old), from_=alice.id, ts=signed_ts)
    assert desk.told(FileOffered)[0].trust is Trust.FORMER_KEY


@pytest.mark.threat("I2")
def test_a_chunk_by_somebody_else_goes_into_nobodys_file() -> None:
    desk = Desk().attaches()
    alice, mallory = desk.friend("alice", *HYBRID_ALONE), desk.friend("mallory", *HYBRID_ALONE)
    Theirs(desk, alice).starts()
    theirs = Theirs(desk, mallory)
    theirs.sender.start(desk.wall, desk.mono)
    theirs.goes_on()
    assert desk.did(WriteChunk) == []
    assert desk.told(FileFailed) == []


@pytest.mark.threat("M1")
def test_a_file_frame_that_the_server_did_not_carry_is_dropped() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    Theirs(desk, alice).starts()
    end = {"file_id": FILE, "sender": alice.id}
    desk.hears("FILE_END", end, from_=alice.id, bind=False, signed=False)
    assert desk.told(FileFailed) == []


@pytest.mark.spec("12")
def test_files_of_one_author_at_a_time_are_bounded() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    for number in range(RECEIVING_PER_AUTHOR_MAX + 1):
        Theirs(desk, alice, file_id=an_id(f"{number}")).starts()
    assert len(desk.told(FileOffered)) == RECEIVING_PER_AUTHOR_MAX
    assert "too many files" in desk.refusals[0].reason


@pytest.mark.spec("8")
@pytest.mark.parametrize("why", ["silence", "lost link", "author gone", "person"])
def test_a_file_that_stops_arriving_is_dropped_and_told(why: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    Theirs(desk, alice).starts()
    if why == "silence":
        desk.passes(SILENCE_MS / 1000 + 1)
    elif why == "lost link":
        desk.loses_the_link()
    elif why == "author gone":
        desk.goes(alice)
    else:
        desk.event(CancelFile(FILE))
    assert desk.did(DropSink) == [DropSink(FILE)]
    assert desk.told(FileFailed)[0].sending is False
    assert desk.member.idle


@pytest.mark.threat("M8")
def test_nothing_goes_back_to_whoever_sends_a_bad_file() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    theirs = Theirs(desk, alice, reader=desk.suite.generate().public)
    before = len(desk.did(Transmit))
    theirs.starts()
    desk.passes(5)
    assert len(desk.did(Transmit)) == before
    assert "not encrypted for a key" in desk.refusals[0].reason


@pytest.mark.spec("8")
def test_all_that_one_client_of_ours_may_send_at_a_time_another_takes() -> None:
    """Nobody would tell the sender what was refused: it says "sent"."""
    assert SENDING_MAX <= RECEIVING_PER_AUTHOR_MAX <= RECEIVING_MAX
    assert SENDING_BYTES_MAX <= RECEIVING_BYTES_MAX


@pytest.mark.spec("8")
def test_a_file_that_is_whole_and_waits_for_the_disk_keeps_no_other_out() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    number = 3 * RECEIVING_PER_AUTHOR_MAX
    for file_id in [an_id(f"{one}") for one in range(number)]:
        theirs = Theirs(desk, alice, file_id=file_id)
        theirs.starts()
        theirs.goes_on()
    assert len(desk.did(FinishSink)) == number
    assert desk.refusals == []


@pytest.mark.threat("S5")
def test_whole_files_that_wait_for_a_disk_that_hangs_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incoming, "STORING_MAX", 2)
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    for file_id in [an_id(f"{one}") for one in range(2)]:
        theirs = Theirs(desk, alice, file_id=file_id)
        theirs.starts()
        theirs.goes_on()
    Theirs(desk, alice, file_id=an_id("one more")).starts()
    assert len(desk.told(FileOffered)) == 2
    assert "too many files" in desk.refusals[0].reason
    desk.passes(SILENCE_MS / 1000 + 1, tick_ms=1_000)
    assert desk.told(FileFailed) == []  # nothing more is to come of them


@pytest.mark.spec("8")
def test_large_files_wait_for_each_other_so_that_a_receiver_takes_them_all() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    half = SENDING_BYTES_MAX // 2
    hashes_ = bytes(32 * -(-half // PIECE))
    for name in ("one", "two", "three"):
        desk.event(OfferFile(an_id(name), alice.id, name, half, "0" * 64, hashes_))
    (waits,) = desk.told(FileWaits)
    assert waits.name == "three"
    assert "it goes when they are done" in waits.reason
    desk.event(CancelFile(an_id("one")))
    desk.passes(2)
    assert len(desk.sent("FILE_START")) == 3


@pytest.mark.spec("8")
def test_a_file_to_somebody_else_does_not_wait_for_what_a_slow_reader_takes() -> None:
    desk = Desk().attaches()
    alice, bob = desk.friend("alice"), desk.friend("bob")
    large = SENDING_BYTES_MAX
    desk.event(OfferFile(FILE, alice.id, "a", large, "0" * 64, bytes(32 * -(-large // PIECE))))
    offers(desk, bob.id, CONTENT, an_id("another"))
    assert [e.to for e in desk.sent("FILE_START")] == [alice.id, bob.id]
    for number in range(SENDING_ALL_MAX):
        friend = desk.friend(f"friend {number}")
        offers(desk, friend.id, CONTENT, an_id(f"{number}"))
    assert len(desk.sent("FILE_START")) == SENDING_ALL_MAX


@pytest.mark.spec("8")
@pytest.mark.parametrize("why", ["away", "nobody", "not connected"])
def test_a_file_that_cannot_go_yet_waits_and_says_for_what(why: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    if why == "away":
        desk.goes(alice)
    elif why == "not connected":
        desk.loses_the_link()
    to = an_id("nobody") if why == "nobody" else alice.id
    offers(desk, to)
    (waits,) = desk.told(FileWaits)
    word = {"away": "alice is away", "nobody": "is being asked for"}.get(why, why)
    assert word in waits.reason
    moved = desk.kept(SaidMoved)[-1]
    assert (moved.number, moved.state, moved.reason) == (1, LineState.WAITING, waits.reason)
    assert desk.sent("FILE_START") == []
    assert desk.member.idle
    if why != "nobody":
        if why == "not connected":
            desk.attaches()
        desk.comes(alice)
        desk.passes(0.2)
        assert len(desk.sent("FILE_START")) == 1


@pytest.mark.spec("8")
def test_a_file_that_waits_outlives_a_restart() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    desk.goes(alice)
    offers(desk, alice.id)
    desk.again(desk.store())
    desk.attaches()
    desk.comes(alice)
    desk.passes(0.2)
    assert desk.did(OpenSource) == [OpenSource(FILE, "/home/me/notes.txt", len(CONTENT), 7)]
    assert len(desk.sent("FILE_START")) == 1


@pytest.mark.spec("8")
@pytest.mark.parametrize("to", ["alice", "all"])
def test_a_file_that_a_restart_broke_off_for_good_is_told(to: str) -> None:
    """Their client cannot go on with it: it does not stay "on its way" for ever."""
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    if to == "all":
        desk.hears("PUBLIC_CHANNEL_ADD", {"add": [desk.id], "if_version": 0}, to="*")
        desk.passes(10)
        version = desk.did(GenerateChannelKey)[0].version
        desk.event(ChannelKeyGenerated(version, desk.suite.generate()))
    offers(desk, alice.id if to == "alice" else PUBLIC)
    acks(desk, "FILE_START")
    assert len(desk.sent("FILE_START")) == 1
    desk.again(desk.store())
    desk.attaches()
    desk.passes(0.2)
    (failed,) = desk.told(FileFailed)
    assert "ended before all of it was sent; send it again" in failed.reason
    assert desk.kept(SaidMoved)[-1].state is LineState.REFUSED
    assert desk.store().outgoing_files == ()
    assert len(desk.sent("FILE_START")) == 1


@pytest.mark.threat("I10")
def test_a_file_by_who_revoked_their_id_is_refused_with_that_reason() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    revoked(desk, alice)
    Theirs(desk, alice).starts()
    (refused,) = desk.refusals
    assert refused.author == alice.id
    assert "they revoked their id" in refused.reason
    assert desk.did(OpenSink) == []


@pytest.mark.threat("S5")
def test_files_of_all_authors_at_a_time_are_bounded() -> None:
    desk = Desk().attaches()
    authors = [
        desk.friend(f"{number}", *HYBRID_ALONE)
        for number in range(RECEIVING_MAX // RECEIVING_PER_AUTHOR_MAX + 1)
    ]
    for number in range(RECEIVING_MAX + 1):
        author = authors[number // RECEIVING_PER_AUTHOR_MAX]
        Theirs(desk, author, file_id=an_id(f"{number}")).starts()
    assert len(desk.told(FileOffered)) == RECEIVING_MAX
    (refused,) = desk.refusals
    assert "too many files" in refused.reason


@pytest.mark.spec("8")
def test_who_stops_a_file_of_theirs_stops_none_that_comes_under_the_same_id() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    offers(desk, alice.id)
    Theirs(desk, alice).starts()
    desk.event(CancelFile(FILE))
    assert [failed.sending for failed in desk.told(FileFailed)] == [True]
    assert desk.did(DropSink) == []


@pytest.mark.spec("13")
def test_a_chunk_of_nothing_in_a_frame_of_the_servers_changes_nothing() -> None:
    desk = Desk(server_features=()).attaches()
    alice = desk.friend("alice", *HYBRID_ALONE)
    theirs = Theirs(desk, alice)
    theirs.sender.start(desk.wall, desk.mono)
    desk.mono += 3_000
    assert theirs.sender.wants(desk.mono) is not None
    chunk = theirs.sender.chunk(0, CONTENT, desk.wall)
    assert isinstance(chunk, Payload)
    warned = len(desk.warnings)
    desk.hears("FILE_CHUNK", to_members(chunk) | {"sender": alice.id})
    assert desk.did(WriteChunk) == []
    assert len(desk.warnings) == warned
