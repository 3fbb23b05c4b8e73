"""All rows of a profile under another key, at once (threats P4, S8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from socp.crypto.vault import Vault
from socp.member.history_line import EDIT, REACTION
from socp.member.records import Amendment, LineState, Said
from socp.storage.errors import BadRecord, SealedAnew
from socp.storage.history_segments import SEGMENT_LINES
from socp.storage.profile_reader import ProfileReader
from socp.storage.profile_schema import metadata
from socp.storage.profile_store import ProfileStore
from tests.storage import examples
from tests.storage.examples import ALICE, BOB, NOW, VAULT

OTHER = Vault(bytes(range(1, 33)), VAULT)
ALONE = Vault(OTHER.master)

pytestmark = [pytest.mark.threat("P4"), pytest.mark.threat("S8")]


def ref(number: int) -> str:
    return f"{number:043d}"


def everything() -> list[Any]:
    """Rows in every table, with a segment and a tail."""
    said = [
        Said(number, BOB if number % 3 else "public", BOB, f"word{number} x", NOW, NOW, "pinned",
             (ref(number),))
        for number in range(1, SEGMENT_LINES + 20)
    ]  # fmt: skip
    last = len(said)
    changes = [
        Amendment(last + 1, BOB, ref(1), BOB, EDIT, "other words", NOW + 1, ref(last + 1)),
        Amendment(last + 2, BOB, ref(last), ALICE, REACTION, "\N{THUMBS UP SIGN}", NOW, ref(0)),
    ]
    return [*examples.MEMBER_RECORDS, *said, *changes]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProfileStore]:
    with ProfileStore.open(tmp_path, examples.a_vault) as opened:
        opened.set_settings(examples.SETTINGS)
        opened.write(everything()).result()
        yield opened


def known(store: ProfileStore, folder: Path) -> list[object]:
    """Whatever can be asked."""
    with ProfileReader(folder, store.vault) as reader:
        return [
            store.settings(),
            store.load(),
            store.sent(BOB, "ab" * 8, [3]).result(),
            store.drafts().result(),
            reader.lines(BOB, limit=1000),
            reader.lines("public", limit=1000),
            reader.search("word7", limit=1000),
            reader.search("other", limit=10),
            reader.line_of(ref(2)),
            reader.conversations(limit=10),
        ]


def sealed_rows(folder: Path) -> set[bytes]:
    with closing(sqlite3.connect(folder / "socp.db")) as clear:
        return {
            row[0]
            for table in metadata.tables.values()
            if "sealed" in table.c
            for row in clear.execute(f"SELECT sealed FROM {table.name}")
        }


def test_all_that_was_known_is_known_and_can_be_changed(
    store: ProfileStore, tmp_path: Path
) -> None:
    before = known(store, tmp_path)
    assert all(before)
    store.reseal(OTHER)
    assert known(store, tmp_path) == before
    store.write(
        [Amendment(900, BOB, ref(1), BOB, EDIT, "newest words", NOW + 2, ref(900))]
    ).result()
    with ProfileReader(tmp_path, ALONE) as reader:
        assert [line.text for line in reader.search("newest", limit=10)] == ["newest words"]
        assert reader.search("other", limit=10) == []


def test_done_twice_nothing_changes(store: ProfileStore, tmp_path: Path) -> None:
    store.reseal(OTHER)
    rows = sealed_rows(tmp_path)
    store.reseal(OTHER)
    assert sealed_rows(tmp_path) == rows


def test_the_former_key_opens_nothing_and_nothing_that_it_sealed_is_left(
    store: ProfileStore, tmp_path: Path
) -> None:
    rows = sealed_rows(tmp_path)
    store.reseal(OTHER)
    store.scrub()
    store.close()
    assert not rows & sealed_rows(tmp_path)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(row[:40] in content for row in rows)
    with ProfileReader(tmp_path, VAULT) as thief, pytest.raises(SealedAnew):
        thief.contacts()


def test_a_damaged_row_stops_it_and_everything_stays_under_the_former_key(
    store: ProfileStore, tmp_path: Path
) -> None:
    store.write([Said(999, BOB, ALICE, "x", NOW, NOW, "", (), state=LineState.SENT)]).result()
    with closing(sqlite3.connect(tmp_path / "socp.db")) as clear, clear:
        clear.execute("UPDATE said SET sealed = x'00' WHERE name = (SELECT max(name) FROM said)")
    rows = sealed_rows(tmp_path)
    with pytest.raises(BadRecord):
        store.reseal(OTHER)
    assert sealed_rows(tmp_path) == rows
    assert store.settings() == examples.SETTINGS


def test_who_looks_in_before_and_after_it_sees_the_same(
    store: ProfileStore, tmp_path: Path
) -> None:
    """The key's file names both while it lasts."""
    for _ in ("before", "after"):
        with ProfileReader(tmp_path, OTHER) as reader:
            assert reader.settings() == examples.SETTINGS
            assert reader.line_of(ref(2))
        store.reseal(OTHER)


def test_who_looks_in_all_the_while_sees_the_same(store: ProfileStore, tmp_path: Path) -> None:
    with ProfileReader(tmp_path, OTHER) as reader:
        before = reader.lines(BOB, limit=9)
        assert before
        store.reseal(OTHER)
        assert reader.lines(BOB, limit=9) == before
