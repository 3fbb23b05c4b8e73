"""Rows of the history, found and opened: lines by number, and what was changed of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, select

from socp.crypto.vault import Vault
from socp.member.history_line import HistoryLine, laid_over
from socp.member.records import Amendment, Said
from socp.storage import profile_schema as tables
from socp.storage.sealed_rows import Kind, find, numbered, parts

SAID: Final = Kind(Said, tables.said, ("number",), marks=("talk",))
AMENDED: Final = Kind(Amendment, tables.amendments, ("talk", "of", "author", "kind"), marks=("of",))


def numbers_of(connection: Connection, vault: Vault, refs: Collection[str]) -> dict[str, int]:
    """The lines that went under these msg_refs, those that are known."""
    columns = tables.said_refs.c
    by_token = {vault.token("said_refs", ref): ref for ref in refs}
    return {
        by_token[name]: int.from_bytes(number, "big")
        for part in parts(by_token)
        for name, number in connection.execute(
            select(columns.name, columns.number).where(columns.name.in_(part))
        )
    }


def lines_of(connection: Connection, vault: Vault, numbers: Collection[int]) -> dict[int, Said]:
    """The lines with these numbers, as they were said."""
    names = (numbered(number) for number in numbers)
    return {said.number: said for said in find(connection, vault, SAID, names)}


def changes_of(
    connection: Connection, vault: Vault, lines: Iterable[Said]
) -> dict[str, list[Amendment]]:
    """What was changed of these lines, by msg_ref."""
    columns = tables.amendments.c
    tokens = [vault.token("amendments", ref) for said in lines for ref in said.msg_refs]
    found: dict[str, list[Amendment]] = {}
    for part in parts(tokens):
        for name, sealed in connection.execute(
            select(columns.name, columns.sealed).where(columns.of.in_(part))
        ):
            amendment: Amendment = AMENDED.open(vault, name, sealed)
            found.setdefault(amendment.of, []).append(amendment)
    return found


def as_they_stand(connection: Connection, vault: Vault, lines: Iterable[Said]) -> list[HistoryLine]:
    """These lines with their changes laid over them."""
    lines = list(lines)
    changes = changes_of(connection, vault, lines)
    return [
        laid_over(said, [change for ref in said.msg_refs for change in changes.get(ref, ())])
        for said in lines
    ]
