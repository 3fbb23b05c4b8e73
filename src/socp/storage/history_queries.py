"""What people ask of the history: a conversation, a word, with whom there are conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from socp.crypto.vault import Vault
from socp.member.history_line import Conversation, HistoryLine
from socp.member.records import Arrived, Said
from socp.storage import history_segments, sealed_rows
from socp.storage import profile_schema as tables
from socp.storage.folded import words
from socp.storage.history_reads import SAID, as_they_stand, lines_of, numbers_of
from socp.storage.sealed_rows import Kind, numbered, parts
from socp.wire.ids import PUBLIC

HITS_AT_ONCE: Final = 100
OLDER_MAX: Final = 500
"""So many lines that are older than what is asked for are passed over."""
ANSWER_CHARS_MAX: Final = 16 * 1024 * 1024
_WAITING: Final = Kind(Arrived, tables.arrived, ("number",))


def lines_after(
    connection: Connection, vault: Vault, talk: str, *, after: int, limit: int
) -> list[HistoryLine]:
    """The lines of a conversation that follow a number, the oldest first; fewer where they are very
    long."""
    columns = tables.said.c
    next_ones = (
        select(columns.name, columns.sealed)
        .where(columns.talk == vault.token(tables.said.name, talk), columns.name > numbered(after))
        .order_by(columns.name)
        .limit(limit)
    )
    found: list[Said] = []
    size = 0
    for said in _opened(connection, vault, next_ones):
        size += len(said.text)
        if found and size > ANSWER_CHARS_MAX:
            break
        found.append(said)
    return as_they_stand(connection, vault, found)


def lines(
    connection: Connection, vault: Vault, talk: str, *, since_ms: int, before: int, limit: int
) -> list[HistoryLine]:
    """The newest lines of a conversation, the oldest of them first: those that came at `since_ms`
    or later (0: whenever), with numbers under `before` (0: all); fewer where they are very long.

    They are in the order in which they came, and their times are those of a clock that may have
    been set back: what is too old hides what came before it only where there is very much of it.
    """
    columns = tables.said.c
    newest = (
        select(columns.name, columns.sealed)
        .where(columns.talk == vault.token(tables.said.name, talk))
        .order_by(columns.name.desc())
        .limit(limit + OLDER_MAX if since_ms else limit)
    )
    if before:
        newest = newest.where(columns.name < numbered(before))
    found: list[Said] = []
    size = older = 0
    for said in _opened(connection, vault, newest):
        if said.at_ms < since_ms:
            older += 1
            if older > OLDER_MAX:
                break
            continue
        size += len(said.text)
        if len(found) == limit or (found and size > ANSWER_CHARS_MAX):
            break
        found.append(said)
    return as_they_stand(connection, vault, reversed(found))


def search(
    connection: Connection, vault: Vault, text: str, *, talk: str, limit: int
) -> list[HistoryLine]:
    """The newest lines that have all words of `text`, the newest first; `talk` "" for any. None
    for no word; fewer where they are very long."""
    # The longest first: it is the rarest, as a rule.
    # What is no text (half a surrogate pair, from a mistyped argument) was never said.
    asked = (word.encode(errors="surrogatepass") for word in words(text))
    wanted = sorted(asked, key=len, reverse=True)
    if not wanted:
        return []
    found: list[HistoryLine] = []
    size = 0
    tail = _tail_hits(connection, vault, wanted, talk)
    for line in islice(chain(tail, _hits(connection, vault, wanted, talk)), limit):
        size += len(line.text)
        if found and size > ANSWER_CHARS_MAX:
            break
        found.append(line)
    return found


def _tail_hits(
    connection: Connection, vault: Vault, wanted: list[bytes], talk: str
) -> list[HistoryLine]:
    columns = tables.said.c
    tail = (
        select(columns.name, columns.sealed)
        .where(columns.name > history_segments.last_cut(connection))
        .order_by(columns.name.desc())
    )
    said = (one for one in _opened(connection, vault, tail) if not talk or one.talk == talk)
    return [line for line in as_they_stand(connection, vault, said) if _has(line, wanted)]


def _hits(
    connection: Connection, vault: Vault, wanted: list[bytes], talk: str
) -> Iterator[HistoryLine]:
    """What the segments say, looked at once more in the rows themselves."""
    numbers = history_segments.found(connection, vault, wanted, talk)
    for part in parts(numbers, HITS_AT_ONCE):
        said = lines_of(connection, vault, part)
        newest_first = (said[number] for number in part if number in said)
        for line in as_they_stand(connection, vault, newest_first):
            if _has(line, wanted):
                yield line


def _has(line: HistoryLine, wanted: Iterable[bytes]) -> bool:
    text = history_segments.searched(line)
    return all(word in text for word in wanted)


def line_of(connection: Connection, vault: Vault, msg_ref: str) -> HistoryLine | None:
    """The line that went, or came, under a msg_ref."""
    numbers = numbers_of(connection, vault, (msg_ref,))
    found = as_they_stand(connection, vault, lines_of(connection, vault, numbers.values()).values())
    return found[0] if found else None


def conversations(connection: Connection, vault: Vault, *, limit: int) -> list[Conversation]:
    """Everybody with whom there is one, the latest first."""
    columns = tables.said.c
    newest = func.max(columns.name)
    ends = select(newest).group_by(columns.talk).order_by(newest.desc()).limit(limit)
    numbers = [int.from_bytes(name, "big") for name in connection.execute(ends).scalars()]
    said = lines_of(connection, vault, numbers)
    last = as_they_stand(connection, vault, (said[number] for number in numbers))
    waiting: tuple[Arrived, ...] = sealed_rows.read(connection, vault, _WAITING)
    unread = Counter(PUBLIC if one.public else one.author for one in waiting if not one.refused)
    return [Conversation(line.talk, line, unread[line.talk]) for line in last]


def _opened(connection: Connection, vault: Vault, rows: Select[tuple[Any, Any]]) -> Iterator[Said]:
    for row in connection.execute(rows):
        yield SAID.open(vault, row.name, row.sealed)
