"""However records are cut into writes, what is remembered is what a plain dict would remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from socp.member import records as member
from socp.node import records as node
from socp.storage.address import PostgresAddress
from socp.storage.node_schema import metadata
from socp.storage.node_store import NodeStore
from socp.storage.profile_store import ProfileStore
from tests.postgres import ask
from tests.storage.examples import a_vault

names = some.sampled_from(["a", "b", "c"])
# PostgreSQL has no room for a NUL in a text.
texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters=["\0"]), max_size=5)
numbers = some.integers(0, 2**53 - 1)
features = some.lists(texts, max_size=2).map(tuple)
frames = some.binary(max_size=2)

node_records = some.one_of(
    some.builds(
        node.ServerPin,
        names,
        texts,
        texts,
        some.integers(0, 65535),
        some.sampled_from(node.PinOrigin),
        features,
        numbers,
    ),
    some.builds(node.Ruling, names, some.sampled_from(node.Verdict), numbers),
    some.builds(
        node.Account,
        names,
        texts,
        numbers,
        some.booleans(),
        some.booleans(),
        features,
        texts,
        numbers,
    ),
    some.builds(node.Home, names, names, numbers),
    some.builds(node.ChannelShare, names, some.integers(1, 3), texts, names, frames),
    some.builds(node.ChannelShareGone, names, some.integers(1, 3)),
    some.builds(node.ChannelVersion, numbers),
    some.builds(node.Forgotten, names, names),
)
member_records = some.one_of(
    some.builds(
        member.Contact,
        names,
        texts,
        texts,
        features,
        numbers,
        some.booleans(),
        some.booleans(),
        texts,
        texts,
        numbers,
    ),
    some.builds(member.KnownServer, names, texts, texts, features, numbers),
    some.builds(member.Seen, names, frames, names, numbers),
    some.builds(
        member.OutboxLine,
        some.integers(1, 3),
        names,
        texts,
        some.sampled_from(member.LineState),
        some.lists(frames, max_size=2).map(tuple),
        features,
        numbers,
        texts,
    ),
    some.builds(member.ChannelKey, some.integers(1, 2), names, texts, frames, frames, texts, names),
)


def node_remembers(records: Sequence[node.Record]) -> node.Remembered:
    pins: dict[str, node.ServerPin] = {}
    rulings: dict[str, node.Ruling] = {}
    accounts: dict[str, node.Account] = {}
    homes: dict[str, node.Home] = {}
    shares: dict[tuple[str, int], node.ChannelShare] = {}
    version = 0
    for record in records:
        match record:
            case node.ServerPin():
                pins[record.server_id] = record
            case node.Ruling():
                rulings[record.fingerprint] = record
            case node.Account():
                accounts[record.user_id] = record
            case node.Home():
                homes[record.user_id] = record
            case node.ChannelShare():
                shares[record.member_id, record.version] = record
            case node.ChannelShareGone():
                shares.pop((record.member_id, record.version), None)
            case node.ChannelVersion():
                version = record.version
            case node.Forgotten():
                pins.pop(record.server_id, None)
                rulings.pop(record.fingerprint, None)
    return node.Remembered(
        pins=tuple(pins[key] for key in sorted(pins)),
        rulings=tuple(rulings[key] for key in sorted(rulings)),
        accounts=tuple(accounts[key] for key in sorted(accounts)),
        homes=tuple(homes[key] for key in sorted(homes)),
        shares=tuple(shares[key] for key in sorted(shares)),
        channel_version=version,
    )


def member_remembers(records: Sequence[member.Record]) -> member.Remembered:
    contacts: dict[str, member.Contact] = {}
    servers: dict[str, member.KnownServer] = {}
    seen: dict[str, member.Seen] = {}
    outbox: dict[int, member.OutboxLine] = {}
    keys: dict[tuple[int, str], member.ChannelKey] = {}
    for record in records:
        match record:
            case member.Contact():
                contacts[record.user_id] = record
            case member.KnownServer():
                servers[record.server_id] = record
            case member.Seen():
                seen[record.msg_ref] = record
            case member.OutboxLine(state=member.LineState.DONE):
                outbox.pop(record.line_id, None)
            case member.OutboxLine():
                outbox[record.line_id] = record
            case member.ChannelKey():
                keys[record.version, record.fingerprint] = record
    return member.Remembered(
        contacts=tuple(contacts[key] for key in sorted(contacts)),
        servers=tuple(servers[key] for key in sorted(servers)),
        seen=tuple(seen[key] for key in sorted(seen)),
        outbox=tuple(outbox[key] for key in sorted(outbox)),
        channel_keys=tuple(keys[key] for key in sorted(keys) if keys[key].private),
    )


@given(some.lists(node_records, max_size=30), some.integers(1, 10))
def test_a_server_remembers_the_last_of_everything(records: list[node.Record], size: int) -> None:
    with NodeStore.open(None) as store:
        for start in range(0, len(records), size):
            store.write(records[start : start + size])
        store.write([]).result()
        assert store.load() == node_remembers(records)


@pytest.mark.needs("postgresql")
@settings(max_examples=20, deadline=None)
@given(some.lists(node_records, max_size=30), some.integers(1, 10))
def test_a_server_remembers_it_in_postgresql(
    one_database: PostgresAddress, records: list[node.Record], size: int
) -> None:
    with NodeStore.open(None, one_database) as store:
        ask(one_database.dsn, f"TRUNCATE {', '.join(metadata.tables)}")
        for start in range(0, len(records), size):
            store.write(records[start : start + size])
        store.write([]).result()
        assert store.load() == node_remembers(records)


@given(some.lists(member_records, max_size=30), some.integers(1, 10))
def test_a_client_remembers_the_last_of_everything(records: list[member.Record], size: int) -> None:
    with ProfileStore.open(None, a_vault) as store:
        for start in range(0, len(records), size):
            store.write(records[start : start + size])
        store.write([]).result()
        remembered = store.load()
    by_ref = sorted(remembered.seen, key=lambda seen: seen.msg_ref)
    assert replace(remembered, seen=tuple(by_ref)) == member_remembers(records)
