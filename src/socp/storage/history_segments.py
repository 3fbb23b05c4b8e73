"""The words of the history for searching: sealed pieces of some hundred lines each (threat P4).

A thief sees how many there are, and not one word, nor a word's token, nor that two lines share one.
A search opens them, newest first, until it has found enough: a few milliseconds for each 10,000
lines. What is in no segment yet is the tail, whose rows are looked at themselves.

A row's name is the number of its last line. What is changed later is changed here too: no segment
holds words that were taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from socp.crypto.vault import Vault
from socp.member.history import REFUSED
from socp.member.history_line import HistoryLine
from socp.storage import profile_schema as tables
from socp.storage.dialect import upsert
from socp.storage.folded import fold
from socp.storage.history_reads import SAID, as_they_stand, lines_of
from socp.storage.sealed_rows import numbered, opened

SEGMENT_LINES: Final = 512
SEGMENT_BYTES: Final = 1024 * 1024
_TABLE: Final = tables.said_words.name
_PUT: Final = upsert(tables.said_words)
_BREAK: Final = b"\n"  # between lines, which are folded and have none


class _Head(msgspec.Struct, array_like=True):
    """Whose lines they are, in order. A talk is written once, and named by its place."""

    talks: list[str]
    lines: list[tuple[int, int]]  # number, place of its talk


class _Line(NamedTuple):
    number: int
    talk: str
    words: bytes  # folded


class _Segment(msgspec.Struct, array_like=True):
    head: msgspec.Raw  # a `_Head`, which is only decoded where something is found
    words: bytes  # a line for each


_decode = msgspec.msgpack.Decoder(_Segment).decode
_decode_head = msgspec.msgpack.Decoder(_Head).decode
_encode = msgspec.msgpack.encode


def last_cut(connection: Connection) -> bytes:
    """The name of the last line that is in a segment; all after it are the tail."""
    newest = connection.execute(select(func.max(tables.said_words.c.name))).scalar_one()
    return newest or numbered(0)


def cut(connection: Connection, vault: Vault) -> None:
    """Make segments of the tail while it is long enough for one."""
    last = last_cut(connection)
    columns = tables.said.c
    while end := _end_of_segment(connection, last):
        rows = connection.execute(
            select(columns.name, columns.sealed)
            .where(columns.name > last, columns.name <= end)
            .order_by(columns.name)
        )
        said = [SAID.open(vault, name, sealed) for name, sealed in rows]
        lines = as_they_stand(connection, vault, said)
        _put(connection, vault, end, [_Line(one.number, one.talk, searched(one)) for one in lines])
        last = end


def _end_of_segment(connection: Connection, last: bytes) -> bytes | None:
    """The name of the line with which there is enough after `last`, in lines or in bytes."""
    columns = tables.said.c
    tail = (
        select(columns.name, func.length(columns.sealed).label("size"))
        .where(columns.name > last)
        .order_by(columns.name)
        .limit(SEGMENT_LINES)
    )
    sums = tail.subquery()
    count, size, end = connection.execute(
        select(func.count(), func.coalesce(func.sum(sums.c.size), 0), func.max(sums.c.name))
    ).one()
    if size < SEGMENT_BYTES:
        return end if count == SEGMENT_LINES else None
    so_far = 0
    for name, length in connection.execute(tail):
        so_far += length
        if so_far >= SEGMENT_BYTES:
            return bytes(name)
    return None


def say_again(connection: Connection, vault: Vault, numbers: Collection[int]) -> None:
    """The words of these lines are others now, or none."""
    columns = tables.said_words.c
    segments: dict[bytes, set[int]] = {}
    for number in numbers:
        first = select(func.min(columns.name)).where(columns.name >= numbered(number))
        name = connection.execute(first).scalar_one()
        if name is not None:
            segments.setdefault(name, set()).add(number)
    for name, changed in segments.items():
        sealed = connection.execute(select(columns.sealed).where(columns.name == name)).scalar_one()
        segment = _decode(opened(vault, _TABLE, name, sealed))
        head, words = _decode_head(segment.head), segment.words.split(_BREAK)
        said = lines_of(connection, vault, changed).values()
        now = {line.number: searched(line) for line in as_they_stand(connection, vault, said)}
        lines = [
            _Line(number, head.talks[place], now.get(number, former))
            for (number, place), former in zip(head.lines, words, strict=True)
        ]
        _put(connection, vault, name, lines)


def found(
    connection: Connection, vault: Vault, wanted: Sequence[bytes], talk: str
) -> Iterator[int]:
    """The numbers of lines that have all these words, newest first; `talk` "" for any."""
    columns = tables.said_words.c
    rows = connection.execute(select(columns.name, columns.sealed).order_by(columns.name.desc()))
    for name, sealed in rows:
        segment = _decode(opened(vault, _TABLE, name, sealed))
        if hits := _hits(segment.words, wanted):
            head = _decode_head(segment.head)
            for hit in reversed(hits):
                number, place = head.lines[hit]
                if not talk or head.talks[place] == talk:
                    yield number


def _hits(words: bytes, wanted: Sequence[bytes]) -> list[int]:
    """Which lines have all of them: the first one is looked for, the others in its line."""
    first, *others = wanted
    hits: list[int] = []
    line = end = 0  # the line that ends at `end`
    at = words.find(first)
    while at >= 0:
        line += words.count(_BREAK, end, at)
        end = words.find(_BREAK, at)
        whole = words[words.rfind(_BREAK, 0, at) + 1 : end if end >= 0 else None]
        if all(word in whole for word in others):
            hits.append(line)
        at = words.find(first, end) if end >= 0 else -1
    return hits


def searched(line: HistoryLine) -> bytes:
    """What of a line is looked at: not our own words about what is not shown."""
    return b"" if line.kind == REFUSED else fold(line.text).encode()


def _put(connection: Connection, vault: Vault, name: bytes, lines: Sequence[_Line]) -> None:
    """Seal them as the segment that ends with `name`, and as more before it where they are long:
    texts grow by being changed."""
    rows: list[dict[str, bytes]] = []
    part: list[_Line] = []
    size = 0
    for line in lines:
        if part and size + len(line.words) > 2 * SEGMENT_BYTES:
            rows.append(_row(vault, numbered(part[-1].number), part))
            part, size = [], 0
        part.append(line)
        size += len(line.words)
    rows.append(_row(vault, name, part))
    _PUT.run(connection, rows)


def _row(vault: Vault, name: bytes, lines: Sequence[_Line]) -> dict[str, bytes]:
    places: dict[str, int] = {}
    numbers = [(line.number, places.setdefault(line.talk, len(places))) for line in lines]
    plain = _encode([_Head(list(places), numbers), _BREAK.join(line.words for line in lines)])
    return {"name": name, "sealed": vault.seal(_TABLE, name, plain)}
