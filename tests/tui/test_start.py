"""From nothing to a talk, and back into one's own profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from socp.client import unlocking
from socp.client.errors import VaultLocked
from socp.client.unlocking import Passphrase, Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore.vault_file import Locked
from socp.tui.app import SocpApp
from socp.tui.choices_file import Choices
from socp.tui.first_start import FirstStart
from socp.tui.opening import Opening
from socp.tui.unlock_screen import UnlockScreen
from tests.client.mailbox_server import keeping
from tests.client.people import somebody
from tests.tui.stage import SIZE, clicked, leave, stage, waited

PASSPHRASE = "correct horse battery staple"


async def test_name_server_passphrase_and_one_is_talking(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        opening = Opening(tmp_path / "ann", downloads=tmp_path, server=server.url)
        app = SocpApp(opening, Choices(notify="off"), login="ann", suite=suite)
        async with app.run_test(size=(80, 24)) as pilot:
            await waited(pilot, lambda: isinstance(app.screen, FirstStart))
            assert app.screen.query_one("#name", Input).value == "ann"
            await pilot.press("enter", "enter")
            await pilot.press(*PASSPHRASE.replace(" ", "-"), "enter")
            await pilot.press(*PASSPHRASE.replace(" ", "-"), "enter")
            await waited(pilot, lambda: app.session and app.session.link.attached)
            assert app.session
            assert app.session.me.name == "ann"
            assert unlocking.locked(tmp_path / "ann") is Locked.PASSPHRASE
            await leave(app)


async def test_what_is_typed_wrongly_is_said_and_stays(tmp_path: Path) -> None:
    app = SocpApp(Opening(tmp_path / "ann"), Choices(notify="off"), login="ann")
    async with app.run_test(size=SIZE) as pilot:
        await waited(pilot, lambda: isinstance(app.screen, FirstStart))
        said = {"passphrase": "short", "again": "other", "server": "localhost", "name": " "}
        for name, fault in (
            ("name", "at least one letter"),
            ("server", "ws://"),
            ("again", "not the same"),
            ("passphrase", "characters"),
        ):
            for field, text in said.items():
                app.screen.query_one(f"#{field}", Input).value = text
            await clicked(pilot, "#begin")
            assert fault in str(app.screen.query_one("#fault").render())
            good = {"name": "ann", "server": "ws://localhost:1", "again": "short"}
            said |= {name: good.get(name, "")}
        assert unlocking.locked(tmp_path / "ann") is None


async def test_no_passphrase_is_asked_about_once(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        opening = Opening(tmp_path / "ann", downloads=tmp_path, server=server.url)
        app = SocpApp(opening, Choices(notify="off"), login="ann", suite=suite)
        async with app.run_test(size=SIZE) as pilot:
            await waited(pilot, lambda: isinstance(app.screen, FirstStart))
            await clicked(pilot, "#begin")
            assert "press Begin once more" in str(app.screen.query_one("#fault").render())
            await clicked(pilot, "#begin")
            await waited(pilot, lambda: app.session and app.session.link.attached)
            assert unlocking.locked(tmp_path / "ann") is Locked.PLAIN
            await leave(app)


async def test_a_sealed_profile_asks_for_its_passphrase(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        lock = Passphrase(lambda: PASSPHRASE)
        folder = tmp_path / "alice"
        async with somebody(tmp_path, server.url, suite, lock=lock):
            pass
        app = SocpApp(Opening(folder), Choices(notify="off"), suite=suite)
        async with app.run_test(size=SIZE) as pilot:
            await waited(pilot, lambda: _asks(app))
            await pilot.press("w", "r", "o", "n", "g", "enter")
            said = app.screen.query_one("#fault")
            await waited(pilot, lambda: "that is not it" in str(said.render()))
            app.screen.query_one(Input).value = PASSPHRASE
            await pilot.press("enter")
            await waited(pilot, lambda: app.session and app.session.link.attached)
            await leave(app)
        with pytest.raises(VaultLocked):
            unlocking.unlock(folder, Plain())


async def test_a_screen_that_nobody_touches_is_locked_where_there_is_a_passphrase(
    tmp_path: Path,
) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        lock = Passphrase(lambda: PASSPHRASE)
        async with somebody(tmp_path, server.url, suite, lock=lock):
            pass
        opening = Opening(tmp_path / "alice", lock=lock, lock_after_s=0.5)
        app = SocpApp(opening, Choices(notify="off"), suite=suite)
        async with app.run_test(size=SIZE) as pilot:
            await waited(pilot, lambda: _asks(app))
            assert app.session
            app.screen.query_one(Input).value = PASSPHRASE
            await pilot.press("enter")
            await waited(pilot, lambda: not isinstance(app.screen, UnlockScreen))
            await leave(app)


async def test_a_profile_in_use_says_so_and_ends(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        second = SocpApp(Opening(tmp_path / "alice"), Choices(notify="off"), suite=it.suite)
        async with second.run_test(size=SIZE) as pilot:
            await waited(pilot, lambda: second.return_value is not None)
        assert second.return_value == 2
        assert "use" in second.fault


def _asks(app: SocpApp) -> bool:
    return isinstance(app.screen, UnlockScreen) and bool(app.screen.query(Input))
