"""From nothing to a talk, and back into one's own profile."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from functools import partial
from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from socp.client import unlocking
from socp.client.errors import VaultLocked
from socp.client.profile_folder import Chosen, open_profile
from socp.client.unlocking import Passphrase, Plain
from socp.crypto.keys import PrivateKey
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore.vault_file import Locked
from socp.talk import idle, places
from socp.tui import first_start
from socp.tui.app import SocpApp
from socp.tui.choices_file import Choices
from socp.tui.first_start import FirstStart
from socp.tui.jump_screen import JumpScreen
from socp.tui.opening import Opening
from socp.tui.profiles_screen import NEW, ProfilesScreen
from socp.tui.row_view import RowView
from socp.tui.talk_head import TalkHead
from socp.tui.unlock_screen import UnlockScreen
from socp.tui.waiting import Waiting
from tests.client.described import described
from tests.client.mailbox_server import keeping
from tests.client.people import somebody
from tests.tui.hands import PATIENCE_S, Hands, hands_on, pressed
from tests.tui.stage import leave, stage

PASSPHRASE = "correct horse battery staple"


async def test_name_server_passphrase_and_one_is_talking(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        opening = Opening(tmp_path / "ann", downloads=tmp_path, server=server.url)
        app = SocpApp(opening, Choices(notify="off"), login="ann", suite=suite)
        async with hands_on(app, (80, 24)) as pilot:
            await pilot.until(lambda: isinstance(app.screen, FirstStart))
            assert app.screen.query_one("#name", Input).value == "ann"
            await pilot.press("enter", "enter")
            await pilot.press(*PASSPHRASE.replace(" ", "-"), "enter")
            await pilot.press(*PASSPHRASE.replace(" ", "-"), "enter")
            await pilot.until(lambda: app.session and app.session.link.attached)
            assert app.session
            assert app.session.me.name == "ann"
            assert unlocking.locked(tmp_path / "ann") is Locked.PASSPHRASE
            await leave(app)


def complains(app: SocpApp, fault: str) -> bool:
    return fault in str(app.screen.query_one("#fault").render())


async def test_what_is_typed_wrongly_is_said_and_stays(tmp_path: Path) -> None:
    app = SocpApp(Opening(tmp_path / "ann"), Choices(notify="off"), login="ann")
    async with hands_on(app) as pilot:
        await pilot.until(lambda: isinstance(app.screen, FirstStart))
        said = {"passphrase": "short", "again": "other", "server": "http://localhost", "name": " "}
        for name, fault in (
            ("name", "at least one letter"),
            ("server", "ws://"),
            ("again", "not the same"),
            ("passphrase", "characters"),
        ):
            for field, text in said.items():
                app.screen.query_one(f"#{field}", Input).value = text
            await pilot.click("#begin")
            await pilot.until(partial(complains, app, fault))
            good = {"name": "ann", "server": "ws://localhost:1", "again": "short"}
            said |= {name: good.get(name, "")}
        assert unlocking.locked(tmp_path / "ann") is None


async def test_no_passphrase_is_asked_about_once(tmp_path: Path) -> None:
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        opening = Opening(tmp_path / "ann", downloads=tmp_path, server=server.url)
        app = SocpApp(opening, Choices(notify="off"), login="ann", suite=suite)
        async with hands_on(app) as pilot:
            await pilot.until(lambda: isinstance(app.screen, FirstStart))
            await pilot.click("#begin")
            assert "once more if that is" in str(app.screen.query_one("#fault").render())
            await pilot.click("#begin")
            await pilot.until(lambda: app.session and app.session.link.attached)
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
        async with hands_on(app) as pilot:
            await pilot.until(lambda: _asks(app))
            await pilot.press("w", "r", "o", "n", "g", "enter")
            said = app.screen.query_one("#fault")
            await pilot.until(lambda: "that is not it" in str(said.render()))
            app.screen.query_one(Input).value = PASSPHRASE
            await pilot.press("enter")
            await pilot.until(lambda: app.session and app.session.link.attached)
            await leave(app)
        with pytest.raises(VaultLocked):
            unlocking.unlock(folder, Plain())


async def test_a_screen_that_nobody_touches_is_locked_where_there_is_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(idle, "clock_s", lambda: now_s)
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        lock = Passphrase(lambda: PASSPHRASE)
        async with somebody(tmp_path, server.url, suite, lock=lock):
            pass
        opening = Opening(tmp_path / "alice", lock=lock, lock_after_s=60)
        app = SocpApp(opening, Choices(notify="off"), suite=suite)
        async with hands_on(app) as pilot:
            await pilot.until(lambda: app.session and app.session.link.attached)
            now_s = 61.0
            await pilot.until(lambda: _asks(app))
            assert app.session
            app.screen.query_one(Input).value = PASSPHRASE
            await pilot.press("enter")
            await pilot.until(lambda: not isinstance(app.screen, UnlockScreen))
            await leave(app)


async def test_a_profile_in_use_says_so_and_offers_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    async with stage(tmp_path) as it:
        second = SocpApp(Opening(tmp_path / "alice"), Choices(notify="off"), suite=it.suite)
        async with hands_on(second) as pilot:
            await pilot.until(lambda: _listed(second))
            assert f"alice is in use by process {os.getpid()}" in _fault(second)
            listed = _listed(second)
            assert listed[0].split() == ["alice", "in", "use"]
            assert listed[1] == " + somebody new"
            await pilot.press("up", "enter")
            assert isinstance(second.screen, ProfilesScreen)  # nobody is two
            await pilot.press("down", "enter")
            await pilot.until(lambda: isinstance(second.screen, FirstStart))
            await pilot.press("escape")
            await pilot.until(lambda: isinstance(second.screen, ProfilesScreen))
            await leave(it.app)
            await pilot.until(lambda: "in use" not in _listed(second)[0])
            await pilot.press("up", "enter")
            await pilot.until(lambda: second.session and second.session.link.attached)
            assert second.session
            assert second.session.me.name == "alice"
            await leave(second)


async def test_several_profiles_are_a_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    suite = SymbolicSuite(1)
    lock = Passphrase(lambda: PASSPHRASE)
    async with keeping(suite) as server:
        for name, how in (("ann", lock), ("bob", Plain())):
            async with somebody(tmp_path, server.url, suite, name, lock=how):
                pass
        app = SocpApp(Opening(), Choices(notify="off"), login="bob", suite=suite)
        async with hands_on(app, (40, 12)) as pilot:
            await pilot.until(lambda: _listed(app))
            listed = [" ".join(row.split()) for row in sorted(_listed(app))]
            assert listed == ["+ somebody new", "ann passphrase", "bob not sealed"]
            app.screen.query_one(RowView).mark(NEW)
            await pilot.press("enter")
            await pilot.until(lambda: isinstance(app.screen, FirstStart))
            assert app.screen.query_one("#name", Input).value == ""  # there is a bob
            await pilot.press("escape")
            await pilot.until(lambda: isinstance(app.screen, ProfilesScreen))
            app.screen.query_one(RowView).mark("ann")
            await pilot.press("enter")
            await pilot.until(lambda: _asks(app))
            await pilot.press("escape")
            await pilot.until(lambda: isinstance(app.screen, ProfilesScreen))
            app.screen.query_one(RowView).mark("bob")
            await pilot.press("enter")
            await pilot.until(lambda: app.session and app.session.link.attached)
            assert app.session
            assert app.session.me.name == "bob"
            await leave(app)


async def test_a_server_on_this_machine_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        free_port: int = there.getsockname()[1]
    monkeypatch.setattr(places, "server_ports", lambda: [free_port])
    monkeypatch.setattr(first_start, "AGAIN_S", 0.05)
    app = SocpApp(Opening(tmp_path / "ann"), Choices(notify="off"), login="ann")
    async with hands_on(app, (80, 24)) as pilot:
        await pilot.until(lambda: "no server is running" in _state(app))
        assert "script/server" in _state(app)
        async with described("invite", free_port):
            await pilot.until(lambda: "wants an invitation" in _state(app))
            assert _field(app, "server").value == f"ws://localhost:{free_port}"
            assert _field(app, "code").region.height
            await pilot.press("enter", "enter")
            assert app.focused is _field(app, "code")
            for code, fault in (("", "ask its operator"), ("nonsense", "that is no invitation")):
                _field(app, "code").value = code
                await pilot.click("#begin")
                await _complains(app, pilot, fault)
                assert app.focused is _field(app, "code")
        _field(app, "server").value = "localhost:1"
        await pilot.until(lambda: "nothing answers there now" in _state(app))


async def test_all_of_it_is_seen_in_a_small_terminal_and_the_next_step_in_a_tiny_one(
    tmp_path: Path,
) -> None:
    opening = Opening(tmp_path / "ann", server="ws://localhost:1")
    app = SocpApp(opening, Choices(notify="off"), login="ann")
    async with hands_on(app, (80, 24)) as pilot:
        await pilot.until(lambda: isinstance(app.screen, FirstStart))
        await pilot.until(lambda: "nothing answers there now" in _state(app))
        await pilot.press("enter", "enter", "enter", "enter")
        await pilot.until(lambda: "(ws://localhost:1); press Enter once more" in _fault(app))
        await pilot.press("enter")
        await pilot.until(lambda: "whoever can read" in _fault(app))
        await pilot.settled()
        form = app.screen.query_one(VerticalScroll)
        assert form.max_scroll_y == 0  # nothing of it is out of sight
        await pilot.resize_terminal(60, 10)
        await pilot.until(lambda: form.max_scroll_y > 0)
        await pilot.press("shift+tab", "x", "enter", "enter")
        await pilot.until(lambda: "not the same" in _fault(app))
        assert app.focused is _field(app, "passphrase")
        await pilot.until(lambda: _in_sight(app, "#begin") and _in_sight(app, "#fault"))
        assert _field(app, "name").value == "ann"


async def test_who_is_new_sees_who_is_here_and_whom_they_write_to(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as it:
        await it.sees("You are alice")
        assert "nobody else is here" in str(it.talk.query_one(TalkHead).render())
        assert str(it.composer.border_title) == "to everyone"
        await it.bob.comes(it.link)
        await it.sees("bob is here. Ctrl-K turns to one")
        assert "1 here, F2 shows who" in str(it.talk.query_one(TalkHead).render())
        await it.pilot.press("f2")
        await it.until(lambda: "1 here; members" in str(it.talk.query_one(TalkHead).render()))
        await it.pilot.press("f2")
        await it.pilot.press("ctrl+k")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await it.until(lambda: it.app.screen.query_one(RowView).at)
        await it.pilot.press("enter")  # never to where one is already
        await it.sees("Only bob can read it.")
        await it.until(lambda: str(it.composer.border_title) == "to bob")


async def test_who_waits_for_their_key_sees_so_and_for_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, made = SymbolicSuite(1), threading.Event()
    generate = suite.generate

    def slowly() -> PrivateKey:
        assert made.wait(PATIENCE_S)
        return generate()

    monkeypatch.setattr(suite, "generate", slowly)
    async with keeping(SymbolicSuite(1)) as server:
        opening = Opening(tmp_path / "ann", downloads=tmp_path, server=server.url, lock=Plain())
        app = SocpApp(opening, Choices(notify="off"), login="ann", suite=suite)
        async with hands_on(app, (60, 10)) as pilot:
            await pilot.until(lambda: isinstance(app.screen, FirstStart))
            await pilot.press("enter", "enter")
            await pilot.until(lambda: "making your key, this once" in _waits_for(app))
            await pilot.until(lambda: _waits_for(app).endswith(" 1 s"))
            await pilot.until(lambda: _in_sight(app, "Waiting"))
            made.set()
            await pilot.until(lambda: app.session and app.session.link.attached)
            await leave(app)


async def test_a_first_start_that_was_killed_goes_on_as_who_one_said_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    suite = SymbolicSuite(1)
    async with keeping(suite) as server:
        chosen = Chosen("Ann Lee", downloads=str(tmp_path))
        usual = Chosen(server_url=server.url)
        with pytest.raises(_Killed):
            open_profile(tmp_path / "x", chosen, suite, Plain(), _killed, usual)
        app = SocpApp(Opening(places.only_profile()), Choices(notify="off"), suite=suite)
        async with hands_on(app) as pilot:
            await pilot.until(lambda: app.session and app.session.link.attached)
            assert app.session
            assert app.session.me.name == "Ann Lee"
            await leave(app)


class _Killed(BaseException):
    """Nothing of ours survives it."""


def _killed() -> None:
    raise _Killed


async def test_what_is_typed_while_a_passphrase_is_looked_at_is_the_next_one(
    tmp_path: Path,
) -> None:
    looked: list[str] = []
    answer = asyncio.Event()

    async def check(text: str) -> bool:
        looked.append(text)
        await answer.wait()
        return text == "right"

    app = SocpApp(Opening(tmp_path / "ann"), Choices(notify="off"), login="ann")
    async with hands_on(app) as pilot:
        got: list[str | None] = []
        await app.push_screen(UnlockScreen("ann", "sealed", check), got.append)
        await pilot.press(*"wrong", "enter", *"right", "enter")
        await pilot.until(lambda: looked == ["wrong"])
        await pilot.until(lambda: "looking" in _waits_for(app))
        answer.set()
        await pilot.until(lambda: got == ["right"])
    assert looked == ["wrong", "right"]


async def test_keys_that_come_at_once_are_obeyed_in_their_order(tmp_path: Path) -> None:
    app = SocpApp(Opening(tmp_path / "ann"), Choices(notify="off"), login="ann")
    async with hands_on(app) as pilot:
        await pilot.until(lambda: isinstance(app.screen, FirstStart))
        for key in ("ctrl+u", "a", "x", "backspace", "n", "home", "b", "end", "d", "enter", "e"):
            app.post_message(pressed(key))
        await pilot.until(lambda: _field(app, "server").value.endswith("e"))
        assert _field(app, "name").value == "band"


@pytest.mark.parametrize("opened", [Opening(), Opening(Path("x"))])
async def test_ctrl_c_leaves_where_nothing_began(
    opened: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    app = SocpApp(opened, Choices(notify="off"), login="ann")
    async with hands_on(app) as pilot:
        await pilot.until(lambda: isinstance(app.screen, FirstStart))
        await pilot.press("ctrl+c")
        await pilot.until(lambda: app.return_value == 0)


def _field(app: SocpApp, name: str) -> Input:
    return app.screen.query_one(f"#{name}", Input)


def _waits_for(app: SocpApp) -> str:
    waiting = app.screen.query_one(Waiting)
    return str(waiting.render()) if waiting.display else ""


def _state(app: SocpApp) -> str:
    found = app.screen.query("#server-state")
    return str(found.first(Static).render()) if found else ""


async def _complains(app: SocpApp, pilot: Hands, fault: str) -> None:
    await pilot.until(lambda: fault in _fault(app))


def _fault(app: SocpApp) -> str:
    return str(app.screen.query_one(".fault", Static).render())


def _in_sight(app: SocpApp, selector: str) -> bool:
    form, region = app.screen.query_one(VerticalScroll), app.screen.query_one(selector).region
    return region.height > 0 and form.region.contains_region(region)


def _listed(app: SocpApp) -> list[str]:
    """The rows of the choice of profiles, [] where it is not there."""
    if not isinstance(app.screen, ProfilesScreen):
        return []
    found = app.screen.query(RowView)
    return found.first(RowView).text().split("\n") if found and found.first(RowView).at else []


def _asks(app: SocpApp) -> bool:
    return isinstance(app.screen, UnlockScreen) and bool(app.screen.query(Input))
