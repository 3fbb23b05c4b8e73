"""Files on their way, as they are told of."""

from __future__ import annotations

import pytest

from socp.cli.lines.entries import Entry
from socp.cli.lines.phrases import Phrases
from socp.cli.lines.transfers import ROWS_MAX, Transfers
from socp.member.effects import FileProgress


@pytest.mark.threat("I8")
def test_however_many_files_somebody_sends_there_is_room_to_type() -> None:
    shown: list[Entry] = []
    phrases = Phrases(lambda user_id: user_id, "me", "ws://localhost:8001")
    transfers = Transfers(phrases, shown.append, has_toolbar=True)
    for number in range(ROWS_MAX + 3):
        transfers.moved(FileProgress(f"{number}", "mallory", "x", 1, 10, sending=False))
    rows = transfers.running()
    assert len(rows) == ROWS_MAX + 1
    assert rows[-1] == "and 3 more"
    assert shown == []
