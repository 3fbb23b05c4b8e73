"""What was said comes back as it stands now, and is found by its words (threat P4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from socp.crypto.vault import Vault
from socp.member import records
from socp.member.history_line import HistoryLine
from socp.member.records import Amendment, LineState, Said, SaidMoved, SaidReached
from socp.storage import StorageError, history_queries, history_rows, history_segments
from socp.storage.history_segments import SEGMENT_LINES
from socp.storage.profile_reader import ProfileReader
from socp.storage.profile_store import ProfileStore
from socp.wire.ids import PUBLIC
from tests.storage.examples import ALICE, ARRIVED, BOB, CONTACT, NOW, SETTINGS, VAULT, a_vault

CAROL = "ca401000-0000-4000-8000-000000000000"


class Book:
    """A store, and a reader beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ProfileStore.open(folder, a_vault)
        self.store.write([CONTACT]).result()
        self.reader = ProfileReader(folder, VAULT)

    def keep(self, *rows: records.Record) -> None:
        self.store.write(rows).result()

    def texts(self, talk: str = BOB, *, since_ms: int = 0, before: int = 0) -> list[str]:
        lines = self.reader.lines(talk, since_ms=since_ms, before=before, limit=100)
        return [line.text for line in lines]

    def line(self, talk: str = BOB) -> HistoryLine:
        (line,) = self.reader.lines(talk, limit=100)
        return line

    def found(self, words: str, *, talk: str = "", limit: int = 100) -> list[int]:
        return [line.number for line in self.reader.search(words, talk=talk, limit=limit)]

    def segments(self) -> list[int]:
        """The number of the last line in each."""
        with closing(sqlite3.connect(self.folder / "socp.db")) as connection:
            names = connection.execute("SELECT name FROM said_words ORDER BY name").fetchall()
        return [int.from_bytes(name, "big") for (name,) in names]


@pytest.fixture
def book(folder: Path) -> Iterator[Book]:
    book = Book(folder)
    yield book
    book.reader.close()
    book.store.close()


def ref(number: int) -> str:
    return f"{number:043d}"


def heard(number: int, text: str, *, talk: str = BOB, author: str = "") -> Said:
    """Somebody else's line."""
    at = NOW + number
    return Said(number, talk, author or talk, text, at, at, "pinned", (ref(number),))


def ours(number: int, text: str, *, talk: str = BOB) -> Said:
    at = NOW + number
    return Said(number, talk, ALICE, text, at, at, "", (), state="waiting")


def change(
    number: int, of: int, kind: str, body: str = "", *, by: str = BOB, talk: str = BOB, ts: int = 0
) -> Amendment:
    return Amendment(number, talk, ref(of), by, kind, body, ts or NOW + number, ref(number))


def test_a_conversation_comes_back_in_its_order_and_in_parts(book: Book) -> None:
    for number in range(1, 9):
        book.keep(heard(number, f"line {number}", talk=BOB if number % 2 else CAROL))
    assert book.texts() == ["line 1", "line 3", "line 5", "line 7"]
    assert book.texts(before=5) == ["line 1", "line 3"]
    assert book.texts(since_ms=NOW + 4) == ["line 5", "line 7"]
    assert book.texts(PUBLIC) == []
    assert [line.number for line in book.reader.lines(CAROL, limit=2)] == [6, 8]
    after = book.reader.lines_after(BOB, after=2, limit=2)
    assert [line.number for line in after] == [3, 5]


def test_a_clock_that_was_set_back_hides_no_lines_of_before(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_queries, "OLDER_MAX", 3)
    late = [replace(heard(number, f"late {number}"), at_ms=NOW + 1_000) for number in (1, 2, 6)]
    book.keep(*late[:2], *(heard(number, "set back") for number in (3, 4, 5)), *late[2:])
    assert book.texts(since_ms=NOW + 500) == ["late 1", "late 2", "late 6"]
    lines = book.reader.lines(BOB, since_ms=NOW + 500, limit=2)
    assert [line.text for line in lines] == ["late 2", "late 6"]
    book.keep(heard(7, "set back once more"))
    assert book.texts(since_ms=NOW + 500) == ["late 6"]


def test_a_line_comes_back_with_all_that_was_known_of_it(book: Book) -> None:
    said = replace(heard(1, "plan.pdf"), kind="file", file_id=CAROL, reply_to=ref(9))
    book.keep(said)
    line = book.line()
    for name in ("number", "talk", "author", "text", "ts", "at_ms", "trust", "kind", "reply_to"):
        assert getattr(line, name) == getattr(said, name)
    assert (line.msg_ref, line.file_id) == (ref(1), CAROL)


def test_the_state_of_a_line_of_ours_moves_and_never_back_from_its_reader(book: Book) -> None:
    book.keep(ours(1, "hi"), SaidMoved(1, LineState.SENT, "", (ref(1),)))
    book.keep(SaidMoved(1, LineState.WAITING, "bob is away", ()))
    assert (book.line().state, book.line().reason) == ("waiting", "bob is away")
    assert book.line().msg_ref == ref(1)
    book.keep(SaidMoved(1, LineState.SENT, "", (ref(2),)))  # composed anew
    assert book.line().msg_ref == ref(2)
    book.keep(SaidReached(ref(2), LineState.READ, BOB))
    book.keep(SaidMoved(1, LineState.DONE, "", ()), SaidReached(ref(2), LineState.DELIVERED, ""))
    assert book.line().state == "read"


@pytest.mark.threat("M12")
@pytest.mark.parametrize(
    "reached",
    [
        SaidReached(ref(2), LineState.READ, CAROL),  # somebody else says that bob read it
        SaidReached(ref(7), LineState.READ, BOB),  # nobody ever said that
        SaidReached(ref(3), LineState.READ, BOB),  # bob speaks of a line of his own
    ],
)
def test_only_its_reader_can_say_that_a_line_of_ours_was_read(
    book: Book, reached: SaidReached
) -> None:
    book.keep(ours(1, "hi"), SaidMoved(1, LineState.DONE, "", (ref(2),)), heard(3, "oh"))
    book.keep(reached)
    assert [line.state for line in book.reader.lines(BOB, limit=9)] == ["done", ""]


def test_what_a_state_or_a_receipt_is_about_may_be_missing(book: Book) -> None:
    book.keep(SaidMoved(77, LineState.DONE, "", (ref(1),)), SaidReached(ref(1), "read", BOB))
    assert book.texts() == []


def test_a_line_of_many_frames_has_been_delivered_when_its_last_was(book: Book) -> None:
    refs = tuple(ref(number) for number in range(100, 130))
    book.keep(ours(1, "long"), SaidMoved(1, LineState.DONE, "", refs))
    book.keep(SaidReached(refs[-2], LineState.DELIVERED, ""))
    assert book.line().state == "done"
    book.keep(SaidReached(refs[-1], LineState.DELIVERED, ""))
    assert book.line().state == "delivered"


def test_a_line_composed_anew_has_been_delivered_under_either_name(book: Book) -> None:
    for number, name in enumerate((100, 101, 102), 1):
        first, anew, latest = (ref(name + more) for more in (0, 10, 20))
        book.keep(
            ours(number, "hi"),
            SaidMoved(number, LineState.SENT, "", (first,), whole=True),
            SaidMoved(number, LineState.SENT, "", (anew, first), whole=True),
            SaidMoved(number, LineState.DONE, "", (latest, first), whole=True),
            SaidMoved(number, LineState.DONE, "", (), whole=True),
        )
        book.keep(SaidReached((first, anew, latest)[number - 1], LineState.DELIVERED, ""))
    lines = book.reader.lines(BOB, limit=9)
    assert [line.state for line in lines] == ["delivered"] * 3
    assert [line.msg_ref for line in lines] == [ref(100), ref(101), ref(102)]


def test_a_frame_of_a_line_that_went_in_several_says_nothing_of_the_whole(book: Book) -> None:
    book.keep(
        ours(1, "hi"),
        SaidMoved(1, LineState.SENT, "", (ref(100), ref(101))),
        SaidMoved(1, LineState.SENT, "", (ref(102),), whole=True),
        SaidReached(ref(100), LineState.DELIVERED, ""),
    )
    assert book.line().state == "sent"
    book.keep(
        SaidMoved(1, LineState.SENT, "", (ref(103), ref(104))),  # in frames once more
        SaidReached(ref(102), LineState.DELIVERED, ""),
    )
    assert book.line().state == "sent"
    book.keep(SaidReached(ref(104), LineState.DELIVERED, ""))
    assert book.line().state == "delivered"


EDITS = (
    change(2, 1, "edit", "first better", ts=NOW + 10),
    change(3, 1, "edit", "second better", ts=NOW + 20),
    change(4, 1, "reaction", "🎉", by=ALICE, ts=NOW + 5),
    change(5, 1, "reaction", "👍", by=ALICE, ts=NOW + 6),
)


@pytest.mark.spec("11")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(permutations((heard(1, "bad"), *EDITS)))[::7])
def test_changes_count_the_same_in_whichever_order_they_came(
    book: Book, order: tuple[Said | Amendment, ...], together: bool
) -> None:
    if together:
        book.keep(*order)
    else:
        for row in order:
            book.keep(row)
    line = book.line()
    assert (line.text, line.edited_ms) == ("second better", NOW + 20)
    assert line.reactions == ((ALICE, "👍"),)
    assert book.found("second") == [1]
    assert book.found("bad") == book.found("first") == []


@pytest.mark.spec("11")
@pytest.mark.parametrize("first", [True, False])
def test_what_is_taken_back_has_no_words_any_more_even_if_it_comes_later(
    book: Book, first: bool
) -> None:
    said, gone = heard(1, "a secret"), change(3, 1, "delete")
    edit = change(2, 1, "edit", "no secret", ts=NOW + 99)
    for row in (gone, edit, said) if first else (said, edit, gone):
        book.keep(row)
    line = book.line()
    assert (line.text, line.deleted, line.edited_ms) == ("", True, 0)
    assert book.found("secret") == []


@pytest.mark.threat("M4")
@pytest.mark.parametrize(
    "row",
    [
        change(2, 1, "edit", "other words", by=CAROL),  # not theirs
        change(2, 1, "delete", by=CAROL),
        change(2, 1, "edit", "other words", talk=PUBLIC),  # said elsewhere
        change(2, 1, "delete", by=ALICE),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_nobody_changes_what_another_said(book: Book, row: Amendment, first: bool) -> None:
    said = heard(1, "my words")
    for one in (row, said) if first else (said, row):
        book.keep(one)
    assert book.line().text == "my words"
    assert not book.line().deleted
    assert book.found("words") == [1]


@pytest.mark.threat("M4")
@pytest.mark.parametrize("batches", [1, 2])
def test_no_line_takes_the_name_of_anothers(book: Book, batches: int) -> None:
    mine = replace(ours(1, "mine"), msg_refs=(ref(1),))
    theirs = replace(heard(2, "theirs"), msg_refs=(ref(2), ref(1)))
    if batches == 1:
        book.keep(mine, theirs)
    else:
        book.keep(mine)
        book.keep(theirs)
    book.keep(change(3, 1, "edit", "evil"))
    assert [line.text for line in book.reader.lines(BOB, limit=9)] == ["mine", "theirs"]
    named = book.reader.line_of(ref(1))
    assert named is not None
    assert named.text == "mine"


def test_a_line_of_others_is_found_by_both_its_names(book: Book) -> None:
    book.keep(replace(heard(1, "helo"), msg_refs=(ref(2), ref(1))))
    assert book.line().msg_ref == ref(1)
    assert [line.text for one in (1, 2) if (line := book.reader.line_of(ref(one)))] == ["helo"] * 2


@pytest.mark.parametrize("first", [3, 4])
def test_of_changes_under_two_names_of_a_line_the_newer_counts(book: Book, first: int) -> None:
    book.keep(replace(heard(1, "helo"), msg_refs=(ref(1), ref(2))))
    changes = {3: change(3, 1, "edit", "hello?"), 4: change(4, 2, "edit", "hello!")}
    book.keep(changes[first])
    book.keep(changes[7 - first])
    assert book.line().text == "hello!"


def test_a_reaction_can_be_taken_away(book: Book) -> None:
    book.keep(heard(1, "hi"), change(2, 1, "reaction", "👍"))
    assert book.line().reactions == ((BOB, "👍"),)
    book.keep(change(3, 1, "reaction", ""))
    assert book.line().reactions == ()


def test_no_crowd_makes_a_line_grow_for_ever(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_rows, "CHANGES_MAX", 3)
    book.keep(heard(1, "hi", talk=PUBLIC, author=BOB))
    crowd = [f"c40{number:05d}-0000-4000-8000-000000000000" for number in range(5)]
    book.keep(*(change(2 + n, 1, "reaction", "👍", by=c, talk=PUBLIC) for n, c in enumerate(crowd)))
    book.keep(change(9, 1, "reaction", "🎉", by=crowd[4], talk=PUBLIC))
    book.keep(change(10, 1, "reaction", "", by=crowd[0], talk=PUBLIC))
    assert [who for who, _ in book.line(PUBLIC).reactions] == crowd[1:3]
    book.keep(change(11, 1, "edit", "ho", talk=PUBLIC))
    assert book.line(PUBLIC).text == "ho"


# --- searching -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Build is DONE", "build done"),
        ("The Build is DONE", "uil"),
        ("Straße", "STRASSE"),
        ("\ufb01le \uff21", "file a"),
        ("cafe\u0301", "caf\u00e9"),
        ("one\n\ttwo", "one two"),
        ("\u4f60\u597d\u4e16\u754c", "\u4e16\u754c"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ],
)
def test_words_are_found_however_they_are_written(book: Book, text: str, words: str) -> None:
    book.keep(heard(1, "something else"), heard(2, text))
    assert book.found(words) == [2]


def test_all_words_must_be_there_and_no_word_finds_nothing(book: Book) -> None:
    book.keep(heard(1, "red apple"), heard(2, "green apple"), heard(3, "red car"))
    assert book.found("apple red") == [1]
    assert book.found("apple blue") == []
    assert book.found(" \n") == []


@pytest.mark.parametrize("words", ["\udcff", "apple \udcff", "x" * 10_000, "\u0301", "\x00"])
def test_odd_words_are_not_found_and_are_no_fault_of_the_profile(book: Book, words: str) -> None:
    book.keep(*many(SEGMENT_LINES), heard(9_000, "red apple"))
    assert book.found(words) == []


def many(count: int, text: Callable[[int], str] = lambda number: f"word{number} x") -> list[Said]:
    return [heard(n, text(n), talk=BOB if n % 2 else CAROL) for n in range(1, count + 1)]


@pytest.mark.parametrize("at_once", [1, 100, 5_000])
def test_the_newest_lines_are_found_first_in_segments_and_after_them(
    book: Book, at_once: int
) -> None:
    rows = many(2 * SEGMENT_LINES + 10)
    for start in range(0, len(rows), at_once):
        book.store.write(rows[start : start + at_once])
    book.keep()
    newest = [row.number for row in reversed(rows)]
    assert book.found("x", limit=5_000) == newest
    assert book.found("x", limit=20) == newest[:20]
    assert book.found("x", limit=4) == newest[:4]
    assert book.found("word1 x", talk=CAROL, limit=3) == [1034, 1032, 1030]
    assert book.found("word77") == [*range(779, 769, -1), 77]
    assert book.found("word770") == [770]


def test_long_lines_make_short_segments_and_short_answers(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_segments, "SEGMENT_BYTES", 10_000)
    monkeypatch.setattr(history_queries, "ANSWER_CHARS_MAX", 10_000)
    rows = [heard(number, f"word{number} " + "x" * 4_000) for number in range(1, 10)]
    book.keep(*rows[:7])
    book.keep(*rows[7:])
    assert book.segments() == [3, 6, 9]
    assert book.found("x") == [9, 8]
    assert book.found("word5") == [5]
    assert [line.number for line in book.reader.lines(BOB, limit=9)] == [8, 9]
    book.keep(change(99, 4, "edit", "z" * 18_000))  # it makes a segment of its own
    assert book.segments() == [3, 4, 6, 9]
    assert book.found("zzz") == [4]
    assert book.found("word6") == [6]
    book.keep(heard(10, "y" * 20_000))
    assert book.segments() == [3, 4, 6, 9, 10]
    assert book.found("y") == [10]
    assert [line.number for line in book.reader.lines(BOB, limit=9)] == [10]


def test_a_line_in_a_segment_that_is_changed_is_found_by_its_new_words_alone(book: Book) -> None:
    book.store.write(many(SEGMENT_LINES + 1)).result()
    number = 7
    book.keep(change(9_000, number, "edit", "Something Better"))
    assert book.found("better") == [number]
    assert number not in book.found("word7")
    assert number + 70 in book.found("word7")
    book.keep(change(9_001, number, "delete"))
    assert book.found("better") == []


def test_a_change_that_came_before_the_name_it_is_about_is_found_in_a_segment_too(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_segments, "SEGMENT_LINES", 2)
    book.keep(ours(1, "old"), heard(2, "x"), change(3, 77, "edit", "new", by=ALICE))
    book.keep(SaidMoved(1, LineState.SENT, "", (ref(77),)))
    assert book.found("new") == [1]
    assert book.found("old") == []


@pytest.mark.threat("P4")
def test_a_segment_does_not_keep_what_was_taken_back(book: Book) -> None:
    book.store.write(many(SEGMENT_LINES)).result()
    book.keep(change(9_000, 5, "edit", "soft words"), change(9_001, 7, "delete"))
    words = _segments(book.store.vault, book.folder)
    assert b"soft words" in words
    assert b"word5 " not in words
    assert b"word7 " not in words
    assert b"word9 " in words


@pytest.mark.threat("P4")
@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
@pytest.mark.parametrize("together", [True, False])
def test_no_row_keeps_what_was_taken_back_nor_what_it_was_changed_to(
    book: Book, order: tuple[int, ...], together: bool
) -> None:
    rows = (
        heard(1, "a secret"),
        change(2, 1, "edit", "another secret", ts=NOW + 99),
        change(3, 1, "delete"),
    )
    batches = [[rows[n] for n in order]] if together else [[rows[n]] for n in order]
    for batch in batches:
        book.keep(*batch)
    said = book.reader.lines(BOB, limit=10)
    assert [(line.text, line.deleted) for line in said] == [("", True)]
    assert b"secret" not in _opened(book, "said") + _opened(book, "amendments")


@pytest.mark.threat("P4")
def test_nothing_is_left_in_the_file_of_what_was_taken_back(book: Book) -> None:
    """With the passphrase it could be opened, if it were."""
    book.store.write(many(SEGMENT_LINES)).result()
    book.keep(heard(9_000, "a secret " * 9), change(9_001, 9_000, "edit", "another secret " * 99))
    before = set(_sealed(book))
    book.keep(change(9_002, 9_000, "delete"), change(9_003, 5, "delete"))
    replaced = before - set(_sealed(book))
    assert len(replaced) == 4  # two lines, an edit and a segment
    book.reader.close()
    book.store.close()
    content = b"".join(file.read_bytes() for file in book.folder.iterdir())
    assert not any(sealed[-32:] in content for _, _, sealed in replaced)


def _sealed(book: Book) -> list[tuple[str, bytes, bytes]]:
    with closing(sqlite3.connect(book.folder / "socp.db")) as connection:
        return [
            (table, name, sealed)
            for table in ("said", "amendments", "said_words")
            for name, sealed in connection.execute(f"SELECT name, sealed FROM {table}")
        ]


def _opened(book: Book, table: str) -> bytes:
    found = [row for row in _sealed(book) if row[0] == table]
    return b"".join(book.store.vault.open(*row) for row in found)


def _segments(vault: Vault, folder: Path) -> bytes:
    with closing(sqlite3.connect(folder / "socp.db")) as connection:
        rows = connection.execute("SELECT name, sealed FROM said_words").fetchall()
    return b"".join(vault.open("said_words", name, sealed) for name, sealed in rows)


def test_what_is_not_shown_is_not_found_by_our_own_words_about_it(book: Book) -> None:
    book.keep(replace(heard(1, "it is not encrypted for you"), kind="refused"))
    book.keep(replace(heard(2, "their key changed"), kind="note"))
    assert book.found("encrypted") == []
    assert book.found("key changed") == [2]


# --- conversations -------------------------------------------------------------------------------


def test_conversations_come_with_their_last_line_and_what_is_unread(book: Book) -> None:
    book.keep(heard(1, "one"), heard(2, "two", talk=CAROL), heard(3, "three"))
    book.keep(heard(4, "all", talk=PUBLIC, author=CAROL), change(5, 3, "edit", "tree"))
    for number, said, public in ((1, 1, False), (2, 3, False), (3, 4, True)):
        author = CAROL if public else BOB
        row = records.Arrived(number, ref(said), author, "x", NOW, "pinned", public, False, said)
        book.keep(row)
    found = book.reader.conversations(limit=10)
    assert [(one.talk, one.last.text, one.unread) for one in found] == [
        (PUBLIC, "all", 1),
        (BOB, "tree", 2),
        (CAROL, "two", 0),
    ]
    assert [one.talk for one in book.reader.conversations(limit=1)] == [PUBLIC]


def test_a_refusal_that_was_not_shown_is_no_unread_message(book: Book) -> None:
    book.keep(heard(1, "one"), replace(ARRIVED, author=BOB, public=False, refused=True))
    assert [one.unread for one in book.reader.conversations(limit=10)] == [0]


# --- numbers, and readers beside the writer -------------------------------------------------------


def test_the_highest_number_is_known_at_the_next_start(book: Book) -> None:
    assert book.store.load().last_said == 0
    book.keep(heard(300, "hi"))
    assert book.store.load().last_said == 300
    book.keep(change(301, 300, "reaction", "👍"))
    assert book.store.load().last_said == 301


def test_a_reader_needs_no_lock_and_leaves_the_profile_as_it_is(folder: Path) -> None:
    with ProfileStore.open(folder, a_vault) as store:
        store.set_settings(SETTINGS)
        store.write([CONTACT, heard(1, "hello")]).result()
        with ProfileReader(folder, VAULT) as reader:
            assert reader.settings() == SETTINGS
            assert reader.contacts() == (CONTACT,)
            store.write([heard(2, "again")]).result()
            assert [line.text for line in reader.lines(BOB, limit=9)] == ["hello", "again"]
    before = (folder / "socp.db").read_bytes()
    with ProfileReader(folder, VAULT) as reader:  # nobody has it open
        assert len(reader.search("hello", limit=9)) == 1
    assert (folder / "socp.db").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_read_without_making_a_file_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup on a disk that is read-only."""
    with ProfileStore.open(folder, a_vault) as store:
        store.write([heard(1, "hello")]).result()
    before = {file.name for file in folder.iterdir()}
    monkeypatch.setattr("os.access", lambda *_: False)
    with ProfileReader(folder, VAULT) as reader:
        assert len(reader.search("hello", limit=9)) == 1
        assert {file.name for file in folder.iterdir()} == before


def test_there_must_be_a_profile_to_read(folder: Path) -> None:
    with pytest.raises(StorageError, match=r"no profile in .*; give the right --as"):
        ProfileReader(folder, VAULT)


@pytest.mark.threat("P4")
def test_another_vault_reads_nothing_and_says_so_in_one_line(folder: Path) -> None:
    with ProfileStore.open(folder, a_vault) as store:
        store.write([heard(1, "hello")]).result()
    with (
        ProfileReader(folder, Vault(bytes(32))) as reader,
        pytest.raises(StorageError, match=r"holds what socp did not write .*; restore a backup"),
    ):
        reader.search("hello", limit=9)
