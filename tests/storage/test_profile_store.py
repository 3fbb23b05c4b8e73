"""The client's records come back as they were given."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from socp.member import records
from socp.member.records import LineState, Said
from socp.storage import FolderBusy, StorageError
from socp.storage.profile_reader import ProfileReader
from socp.storage.profile_rows import Kept
from socp.storage.profile_store import ProfileStore
from socp.wire import content
from socp.wire.content import Body, Delete, Edit, Place, Text
from tests.storage import examples
from tests.storage.examples import (
    ALICE,
    ARRIVED,
    BOB,
    CHANNEL_KEY,
    CONTACT,
    KNOWN_SERVER,
    LINE,
    SEEN,
    SETTINGS,
    a_vault,
)


def written(folder: Path | None, *writes: Sequence[Kept]) -> records.Remembered:
    """What a store remembers after these writes; when on disk, after a restart too."""
    with ProfileStore.open(folder, a_vault) as store:
        for write in writes:
            store.write(write)
        store.write([]).result()
        remembered = store.load()
    if folder:
        with ProfileStore.open(folder, a_vault) as store:
            assert store.load() == remembered
    return remembered


def test_every_kind_of_record_survives_a_restart(folder: Path) -> None:
    assert written(folder, list(examples.MEMBER_RECORDS)) == records.Remembered(
        contacts=(CONTACT,),
        servers=(KNOWN_SERVER,),
        seen=(SEEN,),
        outbox=(LINE,),
        channel_keys=(CHANNEL_KEY,),
        key_steps=examples.STEPS,
        revocations=(examples.REVOCATION,),
        arrived=(ARRIVED,),
        numbered=(examples.NUMBERED,),
        shelves=(examples.SHELF,),
        threads=(examples.THREAD,),
        outgoing_files=(examples.OUTGOING,),
        incoming_files=(examples.INCOMING,),
    )


def test_what_was_sent_is_read_only_when_it_is_asked_for(folder: Path) -> None:
    to, run = examples.SENT_LINE.to, examples.SENT_LINE.run
    others = [replace(examples.SENT_LINE, seq=seq) for seq in (1, 2, 5)]
    with ProfileStore.open(folder, a_vault) as store:
        store.write([examples.SENT_LINE, *others])
        assert store.sent(to, run, (3, 4, 5)).result() == (examples.SPOKEN, examples.SPOKEN)
        store.write([records.SentGone(to, run, 3)])
    with ProfileStore.open(folder, a_vault) as store:
        assert store.sent(to, run, range(1, 9)).result() == (examples.SPOKEN,) * 3
        assert store.sent(to, "f" * 16, range(1, 9)).result() == ()
        assert store.sent(ALICE, run, range(1, 9)).result() == ()


@pytest.mark.threat("P4")
def test_of_what_was_taken_back_no_word_is_kept_for_those_who_missed_it(folder: Path) -> None:
    to, run, of = examples.SENT_LINE.to, examples.SENT_LINE.run, "t" * 43

    def sent(seq: int, body: Body, first: str) -> records.SentLine:
        line = replace(
            LINE,
            text="words",
            frames=(b"words",),
            kind=body.KIND,
            body=content.pack(body),
            place=Place(run, seq, "p" * 43, first),
        )
        return records.SentLine(to, run, seq, line)

    kept = [
        sent(1, Text(body="words"), of),
        sent(2, Text(body="words"), "o" * 43),
        sent(3, Edit(of=of, body="words"), "e" * 43),
        sent(4, Delete(of=of), "d" * 43),
    ]
    with ProfileStore.open(folder, a_vault) as store:
        store.write([*kept, records.SentTakenBack(to, run, 1, 4, of)])
    with ProfileStore.open(folder, a_vault) as store:
        first, other, edit, last = store.sent(to, run, range(1, 5)).result()
    assert (other, last) == (kept[1].line, kept[3].line)
    for line, was in ((first, kept[0].line), (edit, kept[2].line)):
        assert content.unpack(line.body) == Delete(of=of)
        assert (line.place, line.text, line.frames) == (was.place, "", ())


def test_a_thread_that_is_followed_no_more_is_deleted(folder: Path) -> None:
    gone = replace(examples.THREAD, seq=0)
    other = replace(examples.THREAD, public=True)
    assert written(folder, [examples.THREAD, other], [gone]).threads == (other,)


def test_a_key_of_the_channel_that_is_held_no_more_is_deleted(folder: Path) -> None:
    gone = replace(CHANNEL_KEY, private=b"", group_key=b"", box="")
    other = replace(CHANNEL_KEY, version=CHANNEL_KEY.version + 1)
    assert written(folder, [CHANNEL_KEY, other], [gone]).channel_keys == (other,)


def test_a_file_of_which_nothing_more_is_to_be_known_is_deleted(folder: Path) -> None:
    over: list[records.Record] = [
        replace(record, stage=records.FileStage.OVER)
        for record in (examples.OUTGOING, examples.INCOMING)
    ]
    left = written(folder, [examples.OUTGOING, examples.INCOMING], over)
    assert left.outgoing_files == ()
    assert left.incoming_files == ()


def test_without_a_folder_all_is_kept_in_memory() -> None:
    assert written(None, [CONTACT]).contacts == (CONTACT,)


def test_a_changed_contact_replaces_the_former(folder: Path) -> None:
    renamed = structs.replace(CONTACT, display_name="Robert", verified=False, features=())
    assert written(folder, [CONTACT], [renamed]).contacts == (renamed,)


@pytest.mark.parametrize("state", [LineState.WAITING, LineState.SENT, LineState.REFUSED])
def test_a_line_that_was_not_handed_over_is_kept(folder: Path, state: LineState) -> None:
    line = replace(LINE, state=state, reason="nobody there")
    assert written(folder, [line]).outbox == (line,)


@pytest.mark.parametrize("together", [True, False])
def test_a_line_handed_over_is_deleted(folder: Path, together: bool) -> None:
    done = replace(LINE, state=LineState.DONE)
    writes: list[list[records.Record]] = [[LINE, done]] if together else [[LINE], [done]]
    assert written(folder, *writes).outbox == ()


def test_a_line_number_used_again_after_its_end_is_kept(folder: Path) -> None:
    done = replace(LINE, state=LineState.DONE)
    assert written(folder, [LINE], [done, replace(LINE, text="new")]).outbox[0].text == "new"


def test_lines_come_back_in_the_order_they_were_said(folder: Path) -> None:
    lines = [replace(LINE, line_id=number) for number in (10, 9, 100)]
    assert [line.line_id for line in written(folder, list(lines)).outbox] == [9, 10, 100]


@pytest.mark.spec("7")
def test_two_channel_keys_of_one_version_are_both_kept(folder: Path) -> None:
    rival = replace(CHANNEL_KEY, fingerprint="01" * 32)
    assert written(folder, [CHANNEL_KEY, rival]).channel_keys == (rival, CHANNEL_KEY)


@pytest.mark.threat("M2")
def test_messages_seen_are_remembered_for_ever_and_load_fast(folder: Path) -> None:
    seen = tuple(
        SEEN._replace(msg_ref=f"{number:043d}", author=(ALICE, BOB)[number % 2])
        for number in range(100_000)
    )
    with ProfileStore.open(folder, a_vault) as store:
        for start in range(0, len(seen), 50_000):
            store.write(seen[start : start + 50_000]).result()
    with ProfileStore.open(folder, a_vault) as store:
        before = time.thread_time()
        remembered = store.load().seen
        seconds = time.thread_time() - before
    assert remembered == seen
    assert seconds < 2  # 0.15 on a quiet machine
    assert (folder / "socp.db").stat().st_size / len(seen) < 150  # bytes a message


def test_all_messages_of_an_author_share_one_string(folder: Path) -> None:
    first, second = written(folder, [SEEN, SEEN._replace(msg_ref="s" * 43)]).seen
    assert first.author is second.author


def test_the_settings_survive_a_restart_and_a_new_name(folder: Path) -> None:
    renamed = replace(SETTINGS, display_name="Alison")
    with ProfileStore.open(folder, a_vault) as store:
        assert store.settings() is None
        store.set_settings(SETTINGS)
    with ProfileStore.open(folder, a_vault) as store:
        assert store.settings() == SETTINGS
        store.set_settings(renamed)
        assert store.settings() == renamed


def test_a_profile_in_use_says_how_to_choose_another(folder: Path) -> None:
    with (
        ProfileStore.open(folder, a_vault),
        pytest.raises(FolderBusy, match=r"stop it or choose another --profile$"),
    ):
        ProfileStore.open(folder, a_vault)


def test_rows_that_we_did_not_write_are_refused_with_one_line(folder: Path) -> None:
    written(folder, [LINE])
    with closing(sqlite3.connect(folder / "socp.db")) as connection, connection:
        connection.execute("UPDATE outbox SET sealed = x'c1'")
    with (
        ProfileStore.open(folder, a_vault) as store,
        pytest.raises(StorageError, match=r"holds what socp did not write .*; restore a backup"),
    ):
        store.load()


@pytest.mark.spec("11")
@pytest.mark.parametrize("together", [True, False])
def test_what_was_shown_is_deleted(folder: Path, together: bool) -> None:
    shown = records.ArrivedShown(ARRIVED.number)
    writes: list[list[records.Record]] = [[ARRIVED, shown]] if together else [[ARRIVED], [shown]]
    assert written(folder, *writes).arrived == ()


def test_a_number_used_again_after_its_message_was_shown_is_kept(folder: Path) -> None:
    shown = records.ArrivedShown(ARRIVED.number)
    again = replace(ARRIVED, text="new")
    assert written(folder, [ARRIVED], [shown, again]).arrived == (again,)


def test_what_came_is_told_in_the_order_it_came(folder: Path) -> None:
    came = [replace(ARRIVED, number=number) for number in (10, 9, 100)]
    assert [one.number for one in written(folder, list(came)).arrived] == [9, 10, 100]


def test_what_the_person_decided_about_a_key_and_about_readers_is_kept(folder: Path) -> None:
    changed = structs.replace(
        CONTACT, changed_ms=5, claimed_key="MIIother", kept_against=("ef" * 32,)
    )
    kept = written(folder, [CONTACT, changed, records.PublicChoice(verified_only=True)])
    assert kept.contacts == (changed,)
    assert kept.public_choice == records.PublicChoice(verified_only=True)
    again = written(folder, [records.PublicChoice(leave_out=True)])
    assert again.public_choice == records.PublicChoice(leave_out=True)


def test_a_damaged_table_is_refused_at_the_start(folder: Path) -> None:
    written(folder, [CONTACT])
    damage(folder, "contacts")
    with pytest.raises(StorageError, match=r"damaged; stop, and restore a backup"):
        ProfileStore.open(folder, a_vault)


def test_the_history_is_not_looked_through_at_the_start_and_its_damage_is_told_when_it_is_read(
    folder: Path,
) -> None:
    """It grows for years, and a start must not."""
    written(folder, [Said(1, BOB, BOB, "hello", 1, 1, "pinned", ())])
    damage(folder, "said")
    ProfileStore.open(folder, a_vault).close()
    with ProfileReader(folder, a_vault()) as reader, pytest.raises(StorageError, match="damaged"):
        reader.lines(BOB, limit=1)


def damage(folder: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(folder / "socp.db")) as clear:
        of_table = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = clear.execute(of_table, [table]).fetchone()
        (size,) = clear.execute("PRAGMA page_size").fetchone()
    with (folder / "socp.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 100)
