"""`give`: a write whose end is told, where a future would cost more than the write."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from socp.storage.errors import StorageError
from socp.storage.node_store import NodeStore
from tests.storage.examples import MAIL


def test_it_is_told_after_the_commit_in_the_order_of_giving(tmp_path: Path) -> None:
    told: list[tuple[int, Exception | None]] = []

    def note(number: int, fault: Exception | None) -> None:
        told.append((number, fault))

    with NodeStore.open(tmp_path) as store:
        for number in range(1, 51):
            piece = structs.replace(MAIL, seq=number, msg_ref=f"{number:043d}")
            store.give([([piece], partial(note, number))])
    assert told == [(number, None) for number in range(1, 51)]
    with NodeStore.open(tmp_path) as store:
        assert store.load(MAIL.stored_ms).boxes[0].count == 50


def test_one_that_does_not_fit_fails_alone(tmp_path: Path) -> None:
    told: dict[str, Exception | None] = {}
    with NodeStore.open(tmp_path) as store:
        bad = structs.replace(MAIL, user_id="\ud800")
        store.give(
            [
                ([bad], lambda fault: told.update(bad=fault)),
                ([MAIL], lambda fault: told.update(good=fault)),
            ]
        )
    assert told["good"] is None
    assert isinstance(told["bad"], StorageError)


def test_a_store_that_is_closed_says_so_at_once(tmp_path: Path) -> None:
    store = NodeStore.open(tmp_path)
    store.close()
    told: list[Exception | None] = []
    store.give([([MAIL], told.append)])
    with pytest.raises(StorageError, match="is closed"):
        raise told[0] or AssertionError
