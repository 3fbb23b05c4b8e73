"""What was typed and not said is there again, however the last run ended (threats P4, S8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from socp.client.errors import ClientClosed
from socp.crypto.symbolic import SymbolicSuite
from socp.member.draft import Draft
from tests.client.people import somebody

BOB = "22222222-2222-4222-8222-222222222222"
NOWHERE = "ws://localhost:1"
HALF = Draft("half a sen", "r" * 43, quote='your "hello"')
REST = Draft("tence", edits=True)


async def test_a_draft_is_there_again_and_an_empty_one_is_not(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with somebody(tmp_path, NOWHERE, suite, attached=False) as alice:
        assert await alice.me.drafts() == {}
        await alice.me.keep_drafts({"public": REST})
        await alice.me.keep_drafts({BOB: HALF})
        assert list((await alice.me.drafts()).items()) == [("public", REST), (BOB, HALF)]
    async with somebody(tmp_path, NOWHERE, suite, attached=False) as alice:
        assert await alice.me.drafts() == {"public": REST, BOB: HALF}
        await alice.me.keep_drafts({"public": Draft(), BOB: REST})
        assert await alice.me.drafts() == {BOB: REST}
    with pytest.raises(ClientClosed):
        await alice.me.drafts()
    with pytest.raises(ClientClosed):
        await alice.me.keep_drafts({BOB: HALF})


@pytest.mark.threat("S8")
async def test_a_draft_outlives_a_kill(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with somebody(tmp_path, NOWHERE, suite, attached=False) as alice:
        await alice.me.keep_drafts({BOB: HALF})
        shutil.copytree(tmp_path / "alice", tmp_path / "killed")  # as a kill would leave it
    async with somebody(tmp_path, NOWHERE, suite, "killed", attached=False) as again:
        assert await again.me.drafts() == {BOB: HALF}
