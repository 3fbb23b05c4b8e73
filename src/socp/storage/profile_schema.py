"""The client's tables (sections 7, 10, 12; threats M2, M4, P4).

What stands in clear is which tables there are, how many rows each has and about how long they are.
A new table needs a migration and the next format number; a new member of a record does not.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, LargeBinary, MetaData, Table

from socp.storage.formats import Schema
from socp.storage.sealed_rows import sealed_table

metadata = MetaData()

settings = sealed_table(metadata, "settings")
readers = sealed_table(metadata, "readers")
contacts = sealed_table(metadata, "contacts")
servers = sealed_table(metadata, "servers")
seen = sealed_table(metadata, "seen")  # its rows are blocks: seen_rows.py
outbox = sealed_table(metadata, "outbox")
arrived = sealed_table(metadata, "arrived")
channel_keys = sealed_table(metadata, "channel_keys")
key_history = sealed_table(metadata, "key_history")
revocations = sealed_table(metadata, "revocations")
numbered = sealed_table(metadata, "numbered")
outgoing_files = sealed_table(metadata, "outgoing_files")
incoming_files = sealed_table(metadata, "incoming_files")
sent = sealed_table(metadata, "sent")
shelves = sealed_table(metadata, "shelves")
threads = sealed_table(metadata, "threads")
drafts = sealed_table(metadata, "drafts")

# The history: each line by its number, and with which token it is found by its conversation;
# numbers by the tokens of msg_refs; what was changed; and the words of many lines in one row.
said = sealed_table(metadata, "said", "talk")
said_refs = Table(
    "said_refs",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("number", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
amendments = Table(
    "amendments",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("of", LargeBinary, nullable=False, index=True),
    Column("number", LargeBinary, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
said_words = sealed_table(metadata, "said_words")

SCHEMA = Schema(
    kind="profile",
    holds="a client's profile",
    metadata=metadata,
    format=6,
    migrations=Path(__file__).parent / "migrations" / "profile",
    scrubs=True,
    # It grows for years; each of its rows shows damage by its seal.
    checked_later=frozenset({"said", "said_refs", "amendments", "said_words"}),
)
