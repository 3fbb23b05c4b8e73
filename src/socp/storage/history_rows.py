"""The history as sealed rows (threat P4): each line by its number, and beside them what was
changed.

A change is found by a token of the msg_ref that it is about. Of several changes of one kind, by one
author to one line, there is one row: the one that counts, in whichever order they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, func, select

from socp.crypto.vault import Vault
from socp.member.history_line import DELETE, EDIT, REACTION, counts, newer
from socp.member.records import Amendment, LineState, Said, SaidMoved, SaidReached
from socp.storage import history_segments
from socp.storage import profile_schema as tables
from socp.storage.dialect import upsert
from socp.storage.history_reads import AMENDED, SAID, lines_of, numbers_of
from socp.storage.sealed_rows import SealedBatch, find, numbered

HistoryRecord = Said | SaidMoved | SaidReached | Amendment

REFS_MAX: Final = 16  # msg_refs that a row keeps, the newest: a line composed anew gets others
CHANGES_MAX: Final = 1_000  # by others to one line
PUT_REF: Final = upsert(tables.said_refs)
PUT_AMENDMENT: Final = upsert(tables.amendments)

_RANKS: Final = {LineState.DELIVERED: 1, LineState.READ: 2}
"""Of states that a line never leaves for a lower one; all others have 0."""

Change = tuple[str, str, str, str]  # talk, of, author, kind


def apply(connection: Connection, vault: Vault, records: Sequence[HistoryRecord]) -> None:
    """Carry them out, in order."""
    rows = _Rows(connection, vault)
    rows.fetch(records)
    for record in records:
        match record:
            case Said():
                rows.said(record)
            case SaidMoved():
                rows.moved(record)
            case SaidReached():
                rows.reached(record)
            case Amendment():
                rows.amended(record)
    rows.flush()


def last_number(connection: Connection) -> int:
    """The highest there is, 0 for none."""
    newest = (
        connection.execute(select(func.max(column))).scalar_one()
        for column in (tables.said.c.name, tables.amendments.c.number)
    )
    return max(int.from_bytes(number or b"", "big") for number in newest)


class _Rows:
    """What one transaction reads first, and what it writes at the end."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self._lines: dict[int, Said] = {}
        self._numbers: dict[str, int] = {}  # msg_ref -> number
        self._changes: dict[Change, Amendment] = {}
        self._moved: set[int] = set()  # lines to be written
        self._named: set[str] = set()  # msg_refs to be written
        self._changed: set[Change] = set()
        self._respoken: set[int] = set()  # lines whose words are others now

    def fetch(self, records: Sequence[HistoryRecord]) -> None:
        """Read what these records are about."""
        refs: set[str] = set()
        numbers, changes = set(), set()
        for record in records:
            match record:
                case Said():
                    refs.update(record.msg_refs[1:])
                case SaidMoved():
                    numbers.add(record.number)
                case SaidReached():
                    refs.add(record.msg_ref)
                case Amendment():
                    refs.add(record.of)
        self._numbers = numbers_of(self._connection, self._vault, refs)
        numbers.update(self._numbers.values())
        self._lines = lines_of(self._connection, self._vault, numbers)
        for record in records:
            match record:
                case Said():
                    changes.update(_wordings(record, record.msg_refs))
                case Amendment():
                    changes.add(_change(record))
                    changes.update(_wordings(record, self._refs(record)))
        names = (AMENDED.name_of(self._vault, *change) for change in changes)
        known = find(self._connection, self._vault, AMENDED, names)
        self._changes = {_change(amendment): amendment for amendment in known}

    # --- one record -----------------------------------------------------------------------------

    def said(self, said: Said) -> None:
        """A new line. One that was taken back before it came has no words."""
        if not said.state:
            said = replace(said, msg_refs=self._theirs(said))
        taken_back = any(
            change in self._changes for change in _wordings(said, said.msg_refs, DELETE)
        )
        self._put(replace(said, text="") if taken_back else said)
        self._name(said.number, said.msg_refs)

    def _theirs(self, said: Said) -> tuple[str, ...]:
        """What a line of others' is called, without the name of what somebody else said."""
        own, *called = said.msg_refs or ("",)
        others = (self._lines.get(self._numbers.get(ref, 0)) for ref in called)
        if any(other is not None and other.author != said.author for other in others):
            return (own,)
        return said.msg_refs

    def moved(self, moved: SaidMoved) -> None:
        """The state of a line of ours, and what it went under now."""
        said = self._lines.get(moved.number)
        if said is None:
            return
        former = tuple(ref for ref in said.msg_refs if ref not in moved.msg_refs)
        refs = (*former, *moved.msg_refs)[-REFS_MAX:]
        whole = min(_whole(said, moved), len(refs))
        if _rank(moved.state) < _rank(said.state):
            self._put(replace(said, msg_refs=refs, whole=whole))
        else:
            state, reason = moved.state, moved.reason
            self._put(replace(said, state=state, reason=reason, msg_refs=refs, whole=whole))
        self._name(said.number, moved.msg_refs)
        if len(former) + len(moved.msg_refs) > len(said.msg_refs):
            self._respoken.add(said.number)  # what was changed under that name counts from now on

    def reached(self, reached: SaidReached) -> None:
        """All of a line of ours is with its reader: they say so, or our server does."""
        said = self._lines.get(self._numbers.get(reached.msg_ref, 0))
        if said is None or not said.state or reached.by not in ("", said.talk):
            return
        enough = said.msg_refs[-max(said.whole, 1) :]  # of one in several frames the last
        if reached.msg_ref in enough and _rank(reached.state) > _rank(said.state):
            self._put(replace(said, state=reached.state, reason=""))

    def amended(self, amendment: Amendment) -> None:
        """A change, if it is newer than what is known."""
        change = _change(amendment)
        known = self._changes.get(change)
        if known is not None and not newer(amendment, known):
            return
        said = self._lines.get(self._numbers.get(amendment.of, 0))
        reworded = said is not None and amendment.kind != REACTION and counts(amendment, said)
        if not reworded and known is None and self._crowded(amendment.of):
            return
        self._changes[change] = amendment
        self._changed.add(change)
        self._forget_edits(amendment)
        if said is not None and reworded:
            self._respoken.add(said.number)
            if amendment.kind == DELETE:
                self._put(replace(said, text=""))

    def _forget_edits(self, amendment: Amendment) -> None:
        """What was taken back leaves no words, those that it was changed to neither."""
        refs = self._refs(amendment)
        if not any(change in self._changes for change in _wordings(amendment, refs, DELETE)):
            return
        for change in _wordings(amendment, refs, EDIT):
            edit = self._changes.get(change)
            if edit is not None and edit.body:
                self._changes[change] = replace(edit, body="")
                self._changed.add(change)

    def _refs(self, amendment: Amendment) -> Collection[str]:
        """Under which the line went that it is about, as far as it is known."""
        said = self._lines.get(self._numbers.get(amendment.of, 0))
        return {amendment.of, *said.msg_refs} if said else (amendment.of,)

    def _crowded(self, of: str) -> bool:
        """No room for another change by others to one line."""
        token = self._vault.token("amendments", of)
        asked = select(func.count()).where(tables.amendments.c.of == token)
        fresh = sum(change[1] == of for change in self._changed)
        return self._connection.execute(asked).scalar_one() + fresh >= CHANGES_MAX

    def _put(self, said: Said) -> None:
        self._lines[said.number] = said
        self._moved.add(said.number)

    def _name(self, number: int, refs: Iterable[str]) -> None:
        for ref in refs:
            if self._numbers.get(ref) != number:
                self._numbers[ref] = number
                self._named.add(ref)

    # --- the end --------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write all of it."""
        batch = SealedBatch(self._vault)
        for number in sorted(self._moved):
            batch.add(SAID, self._lines[number])
        batch.flush(self._connection)
        if self._named:
            PUT_REF.run(self._connection, [self._ref_row(ref) for ref in self._named])
        if self._changed:
            rows = [self._change_row(self._changes[change]) for change in self._changed]
            PUT_AMENDMENT.run(self._connection, rows)
        history_segments.say_again(self._connection, self._vault, self._respoken)
        history_segments.cut(self._connection, self._vault)

    def _ref_row(self, ref: str) -> dict[str, Any]:
        number = numbered(self._numbers[ref])
        return {"name": self._vault.token("said_refs", ref), "number": number}

    def _change_row(self, amendment: Amendment) -> dict[str, Any]:
        name = AMENDED.name(self._vault, amendment)
        return {
            "name": name,
            "of": self._vault.token("amendments", amendment.of),
            "number": numbered(amendment.number),
            "sealed": AMENDED.seal(self._vault, name, amendment),
        }


def _rank(state: str) -> int:
    return _RANKS.get(LineState(state), 0) if state else 0


def _whole(said: Said, moved: SaidMoved) -> int:
    """How many of its last msg_refs are each all of it from now on."""
    if not moved.msg_refs:
        return said.whole
    if not moved.whole:
        return 0
    before = said.msg_refs[len(said.msg_refs) - said.whole :]
    return len({*before, *moved.msg_refs})


def _change(amendment: Amendment) -> Change:
    return amendment.talk, amendment.of, amendment.author, amendment.kind


def _wordings(by: Said | Amendment, refs: Iterable[str], *kinds: str) -> list[Change]:
    """The changes by this author to the words of the line that went under these msg_refs."""
    return [(by.talk, ref, by.author, kind) for ref in refs for kind in kinds or (EDIT, DELETE)]
