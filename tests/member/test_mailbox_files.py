"""Files where a server with `mailbox/1` keeps them for who is away (sections 8 and 11)."""

from __future__ import annotations

import pytest

from socp.files.sender import ANSWER_MAILBOX_MS
from socp.files.transfer import SILENCE_MS, WINDOW_BYTES
from socp.member.effects import (
    Disconnect,
    FileDone,
    FileFailed,
    FileOffered,
    FileWaits,
    Warned,
)
from socp.member.events import CancelFile, FileStored, StoreFailed
from socp.member.file_effects import (
    DropSink,
    FinishSink,
    OpenSink,
    WriteChunk,
)
from socp.wire import base64url
from socp.wire.payloads import FileChunk
from tests.member.desk import HYBRID_ALONE, WITH_MAILBOX, Desk, Friend
from tests.member.test_files import CONTENT, FILE, PIECE, Theirs, offers, reads


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


@pytest.fixture
def alice(desk: Desk) -> Friend:
    return desk.friend("alice", *HYBRID_ALONE)


def acks(desk: Desk, of: str, status: str = "queued") -> None:
    desk.hears("ACK", {"msg_ref": FILE, "of": of, "status": status})


def answers(desk: Desk) -> list[tuple[object, object]]:
    """What we acknowledged."""
    return [(ack.members["msg_ref"], ack.members.get("of")) for ack in desk.sent("ACK")]


OVER = (FILE, "FILE_END")


# --- out ----------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_file_to_somebody_away_goes_to_their_mailbox(desk: Desk, alice: Friend) -> None:
    desk.goes(alice)
    offers(desk, alice.id)
    acks(desk, "FILE_START")
    reads(desk)
    acks(desk, "FILE_CHUNK")
    desk.comes(alice)
    desk.goes(alice)  # neither ends it
    assert len(desk.sent("FILE_CHUNK")) == len(desk.sent("FILE_END")) == 1
    desk.passes(20)
    assert desk.told(FileDone) == []
    acks(desk, "FILE_END")
    (done,) = desk.told(FileDone)
    assert done.kept
    assert desk.told(FileFailed) == []
    assert [text for text in desk.told(Warned) if "did not say" in text.text] == []


@pytest.mark.spec("8")
def test_of_what_is_kept_at_most_four_mib_are_unacknowledged(desk: Desk, alice: Friend) -> None:
    content = bytes(PIECE * 24)
    desk.goes(alice)
    offers(desk, alice.id, content)
    acks(desk, "FILE_START")
    reads(desk, content, len(desk.sent("FILE_CHUNK")))
    assert len(desk.sent("FILE_CHUNK")) * PIECE == WINDOW_BYTES
    acks(desk, "FILE_CHUNK")
    reads(desk, content, len(desk.sent("FILE_CHUNK")))
    assert len(desk.sent("FILE_CHUNK")) * PIECE == WINDOW_BYTES + PIECE
    for _ in range(23):
        acks(desk, "FILE_CHUNK")
        reads(desk, content, len(desk.sent("FILE_CHUNK")))
    assert len(desk.sent("FILE_CHUNK")) == 24
    acks(desk, "FILE_END")
    assert desk.told(FileDone)[0].kept


@pytest.mark.spec("8")
def test_a_file_to_somebody_here_goes_on_as_ever(desk: Desk, alice: Friend) -> None:
    content = bytes(PIECE * 24)
    offers(desk, alice.id, content)
    acks(desk, "FILE_START", "")
    for _ in range(5):
        reads(desk, content, len(desk.sent("FILE_CHUNK")))
    assert len(desk.sent("FILE_CHUNK")) == 24
    acks(desk, "FILE_END", "")
    assert not desk.told(FileDone)[0].kept


@pytest.mark.spec("8")
def test_a_file_on_its_way_to_somebody_who_leaves_is_broken_off(desk: Desk, alice: Friend) -> None:
    offers(desk, alice.id)
    acks(desk, "FILE_START", "")
    reads(desk)
    desk.goes(alice)
    assert "went away" in desk.told(FileFailed)[0].reason


@pytest.mark.spec("9")
@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("MAILBOX_FULL", "their mailbox has no room for it (no more)"),
        ("TOO_LARGE", "their mailbox has no room for it (no more)"),
        ("USER_NOT_FOUND", "alice is away and no server keeps it"),
    ],
)
@pytest.mark.parametrize("when", ["FILE_START", "FILE_CHUNK"])
def test_a_file_that_is_not_taken_is_told_with_the_reason(
    desk: Desk, alice: Friend, code: str, word: str, when: str
) -> None:
    desk.goes(alice)
    offers(desk, alice.id)
    if when == "FILE_CHUNK":
        acks(desk, "FILE_START")
        reads(desk)
    for _ in range(3):  # each chunk that was on its way is answered
        desk.hears("ERROR", {"code": code, "detail": "no more", "msg_ref": FILE, "of": when})
    if when == "FILE_START":
        (waits,) = desk.told(FileWaits)
        assert word in waits.reason
        desk.comes(alice)
        desk.passes(0.2)
        assert len(desk.sent("FILE_START")) == 2
        desk.event(CancelFile(FILE))
    else:
        (failed,) = desk.told(FileFailed)
        assert word in failed.reason
    assert desk.warnings == []
    assert desk.member.idle


@pytest.mark.spec("9")
def test_chunks_wait_for_the_answer_to_their_start(desk: Desk, alice: Friend) -> None:
    desk.goes(alice)
    offers(desk, alice.id)
    desk.passes(ANSWER_MAILBOX_MS / 1000 - 1)
    reads(desk)
    assert desk.sent("FILE_CHUNK") == []
    desk.passes(2)
    assert "your server did not answer" in desk.told(FileWaits)[0].reason
    desk.passes(10)
    assert len(desk.sent("FILE_START")) == 2


@pytest.mark.spec("8")
def test_a_server_that_takes_no_more_is_not_waited_for_for_ever(desk: Desk, alice: Friend) -> None:
    content = bytes(PIECE * 24)
    desk.goes(alice)
    offers(desk, alice.id, content)
    acks(desk, "FILE_START")
    reads(desk, content, len(desk.sent("FILE_CHUNK")))
    desk.passes(SILENCE_MS / 1000)
    assert "takes no more" in desk.told(FileFailed)[0].reason


@pytest.mark.spec("11")
def test_a_file_to_somebody_whom_no_server_keeps_things_for_waits_at_once(
    desk: Desk, alice: Friend
) -> None:
    desk.goes(alice)
    desk.says(alice, "hi")
    desk.refuses(desk.sent("MSG_DIRECT")[-1], "USER_NOT_FOUND")
    offers(desk, alice.id)
    assert desk.sent("FILE_START") == []
    assert "alice is away" in desk.told(FileWaits)[0].reason


# --- in -----------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_file_is_acknowledged_when_it_has_its_name_and_not_before(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.goes_on()
    assert answers(desk) == []
    desk.event(FileStored(FILE, "x"))
    assert answers(desk) == [OVER]


@pytest.mark.spec("11")
def test_a_file_kept_by_the_server_comes_although_its_author_leaves(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    desk.goes(alice)
    theirs.goes_on()
    assert len(desk.did(FinishSink)) == 1
    assert desk.told(FileFailed) == []


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_a_stored_file_that_is_handed_out_again_is_acknowledged_and_not_shown(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice)
    start = theirs.sender.start(desk.wall, desk.mono)
    theirs.hears(start)
    theirs.goes_on()
    desk.event(FileStored(FILE, "x"))
    desk.again(desk.store())
    desk.attaches()
    again = Theirs(desk, alice)
    again.starts()
    again.goes_on()
    assert answers(desk) == [OVER] * 2
    assert len(desk.told(FileOffered)) == len(desk.did(OpenSink)) == 1


@pytest.mark.spec("11")
@pytest.mark.parametrize("why", ["link", "kill", "disk"])
def test_a_file_that_broke_off_is_not_acknowledged_and_comes_anew(
    desk: Desk, alice: Friend, why: str
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    if why == "disk":
        theirs.goes_on()
        desk.event(StoreFailed(FILE, "no space left"))
    desk.loses_the_link()
    if why == "kill":
        desk.again(desk.store())
    desk.attaches()
    again = Theirs(desk, alice)
    again.starts()
    again.goes_on()
    assert answers(desk) == []
    desk.event(FileStored(FILE, "x"))
    assert len(desk.told(FileDone)) == 1
    assert answers(desk) == [OVER]


@pytest.mark.spec("8")
def test_a_file_that_the_link_broke_off_is_told_to_come_again(desk: Desk, alice: Friend) -> None:
    Theirs(desk, alice).starts()
    desk.loses_the_link()
    assert "it comes again if your server keeps it" in desk.told(FileFailed)[0].reason


@pytest.mark.spec("11")
@pytest.mark.parametrize("why", ["wrong", "person", "ended early", "tampered"])
def test_a_file_that_is_over_for_good_is_acknowledged_at_its_end_and_never_comes_again(
    desk: Desk, alice: Friend, why: str
) -> None:
    theirs = Theirs(desk, alice)
    theirs.starts()
    if why == "person":
        desk.event(CancelFile(FILE))
    if why == "tampered":
        theirs.content = b"X" * len(CONTENT)
        chunk = {"file_id": FILE, "index": 0, "total": 1, "ciphertext": "AAAA"}
        desk.hears("FILE_CHUNK", chunk, from_=alice.id, bind=False)
    assert answers(desk) == []
    if why == "ended early":
        desk.hears("FILE_END", {"file_id": FILE}, from_=alice.id, bind=False)
    else:
        theirs.content = CONTENT
        theirs.goes_on()
    if why == "wrong":
        desk.event(StoreFailed(FILE, "its SHA-256 is another", wrong=True))
    assert answers(desk) == [OVER]
    assert len(desk.told(FileFailed)) == 1
    assert desk.did(DropSink) == [DropSink(FILE)]
    desk.again(desk.store())
    desk.attaches()
    again = Theirs(desk, alice)
    again.starts()
    again.goes_on()
    assert answers(desk) == [OVER] * 2
    assert len(desk.told(FileOffered)) == 1


@pytest.mark.threat("M8")
def test_a_file_that_cannot_be_opened_is_acknowledged_like_any_other(
    desk: Desk, alice: Friend
) -> None:
    theirs = Theirs(desk, alice, reader=desk.suite.generate().public)
    theirs.starts()
    assert answers(desk) == []
    theirs.goes_on()
    assert answers(desk) == [OVER]
    assert desk.did(WriteChunk) == []
    Theirs(desk, alice, reader=desk.suite.generate().public).starts()
    assert len(desk.refusals) == 1


@pytest.mark.spec("11")
def test_a_file_whose_authors_key_is_not_here_yet_comes_with_the_next_link(desk: Desk) -> None:
    alice = desk.friend("alice", *HYBRID_ALONE, online=False)
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.goes_on()
    assert answers(desk) == []
    assert desk.did(Disconnect) == []
    response = {"user_id": alice.id, "pubkey": alice.key.public.text, "version": 1}
    desk.hears("PUBKEY_RESPONSE", response)
    desk.passes(1)
    assert desk.refusals == []
    assert len(desk.did(Disconnect)) == 1
    desk.loses_the_link()
    desk.attaches()
    again = Theirs(desk, alice)
    again.starts()
    again.goes_on()
    assert len(desk.did(FinishSink)) == 1


@pytest.mark.spec("11")
def test_a_file_whose_authors_key_nobody_knows_is_refused_and_stays_at_the_server(
    desk: Desk,
) -> None:
    alice = desk.friend("alice", *HYBRID_ALONE, online=False)
    theirs = Theirs(desk, alice)
    theirs.starts()
    theirs.goes_on()
    desk.hears("ERROR", {"code": "USER_NOT_FOUND", "detail": "nobody", "user_id": alice.id})
    assert "key is not known yet" in desk.refusals[0].reason
    desk.passes(5)
    assert answers(desk) == []
    assert desk.did(Disconnect) == []


@pytest.mark.threat("M14")
def test_the_end_of_a_file_that_never_began_is_not_acknowledged(desk: Desk, alice: Friend) -> None:
    desk.hears("FILE_END", {"file_id": FILE}, from_=alice.id, bind=False)
    assert answers(desk) == []


@pytest.mark.threat("M4")
def test_a_file_that_broke_off_is_still_its_authors_alone(desk: Desk, alice: Friend) -> None:
    """The wrapped key was seen: nobody else may pass it off as theirs when it comes again."""
    mallory = desk.friend("mallory", v13=True)
    bob = desk.friend("bob", v13=True)
    theirs = Theirs(desk, bob)
    theirs.starts()
    want = theirs.sender.wants(desk.mono + 3_000)
    assert want is not None
    chunk = theirs.sender.chunk(want.index, CONTENT[: want.size], desk.wall)
    assert isinstance(chunk, FileChunk)
    theirs.hears(chunk)
    desk.loses_the_link()
    desk.attaches()
    members = mallory.delivery(base64url.decode(chunk.ciphertext))
    desk.hears("USER_DELIVER", members)
    assert "pass another's words off" in desk.refusals[0].reason


@pytest.mark.threat("S3")
def test_strangers_cannot_have_us_take_one_link_after_another() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    for number in range(20):
        stranger = desk.friend(f"stranger {number}", online=False)
        Theirs(desk, stranger).starts()
        key = {"user_id": stranger.id, "pubkey": stranger.key.public.text, "version": 1}
        desk.hears("PUBKEY_RESPONSE", key)
        ended = len(desk.ended)
        desk.passes(1)
        if len(desk.ended) > ended:
            desk.loses_the_link()
            desk.attaches()
    assert len(desk.ended) == 3  # at once, after 5 s, after 10 s more
    desk.passes(20)
    assert len(desk.ended) == 4
