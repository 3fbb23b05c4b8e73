"""Pictures of the full screen: eight screens in three sizes (`script/pictures`). They are the same
bytes each time: clock, ids and keys are played."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final
from unittest import mock

from textual.widgets import Input, Static, TextArea

from socp.crypto.symbolic import SymbolicSuite
from socp.member.draft import Draft
from socp.member.effects import FileProgress, GapFound
from socp.tui.app import SocpApp
from socp.tui.changed_key import ChangedKey
from socp.tui.choices_file import Choices
from socp.tui.first_start import FirstStart
from socp.tui.help_screen import HelpView
from socp.tui.opening import Opening
from socp.tui.row_view import RowView
from socp.wire.ids import PUBLIC
from tests.client.mailbox_server import Absent, keeping
from tests.tui import group
from tests.tui.drawing import svg
from tests.tui.hands import Hands, hands_on
from tests.tui.stage import Stage, stage

SIZES: Final = ((80, 24), (120, 36), (200, 60))
NOW: Final = "12 12:41"
QUIET: Final = Choices(notify="off")


@contextmanager
def played() -> Iterator[None]:
    """Midday of one day in Greenwich, and the same ids each time."""
    ticks = count(group.ms(NOW) * 1_000_000, 100_000)
    ids = map(uuid.UUID, (f"a1111111-1111-4111-8111-{number:012}" for number in count(1)))
    around = {"TZ": "UTC", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with (
        mock.patch.dict(os.environ, around),
        mock.patch("time.time_ns", side_effect=ticks),
        mock.patch("time.clock_gettime", return_value=1_000.0),
        mock.patch("uuid.uuid4", side_effect=ids),
    ):
        time.tzset()
        yield
    time.tzset()


async def peopled(it: Stage) -> None:
    """Bob is here, and some others."""
    await it.bob.comes(it.link)
    for their_id, name in group.PEOPLE.items():
        other = Absent(it.server, it.suite.generate(), name, their_id)
        await (other.is_known if their_id == group.GRACE else other.comes)(it.link)
    others = len(group.PEOPLE)  # without Grace, with Bob
    await it.until(lambda: len(it.session.here - {it.session.me.user_id}) == others)
    await it.until(lambda: group.GRACE not in it.session.here)


async def spoken(it: Stage) -> None:
    """A talk with a little of everything."""
    await peopled(it)
    it.session.drafts.keep(group.DAVE, Draft("L, or what the"))
    await it.opens("Bob")
    gap = GapFound(group.BOB, group.BOB, 1, group.ms("12 08:55"), group.ms("12 12:31"), asked=True)
    it.session._heard(gap)
    half = FileProgress(
        group.PLAN_ID, group.BOB, group.PLAN, 1_900_000, 3_000_000, True, 1_048_576, remaining_s=1
    )
    it.session._heard(half)
    await it.sees("63% of")
    await it.types("See you at the pier")


async def everyone(it: Stage) -> None:
    """The public channel, the light theme, an answer to a command, no server."""
    await peopled(it)
    it.app.theme = "socp-light"
    it.session.turn_to(PUBLIC)
    await it.sees("snore")
    await it.says("/receipts off")
    await it.sees("nobody hears")
    await it.server.stop()
    await it.until(lambda: not it.session.link.attached)
    await it.says("We could take the second boat, too.")
    await it.sees("second boat")


async def jump(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("ctrl+k")
    await it.types("er")
    await it.until(lambda: it.app.screen.query_one(RowView).at)


async def search(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("ctrl+f")
    await it.types("harb")
    await it.until(lambda: "found" in it.read("#count"))


async def verify(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("f3")
    await it.until(lambda: it.app.screen.query("#code"))
    await it.until(lambda: "▀" in it.read("#code"))


async def changed_key(it: Stage) -> None:
    await spoken(it)
    await Absent(it.server, it.suite.generate(), "Bob").is_known(it.link)
    await it.until(lambda: it.talk.query_one(ChangedKey).display)


async def help_(it: Stage) -> None:
    await spoken(it)
    it.app.theme = "socp-high-contrast"
    await it.pilot.press("f1")
    await it.until(lambda: it.app.screen.query_one(HelpView).text())


SCREENS: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "talk": spoken,
    "everyone": everyone,
    "jump": jump,
    "search": search,
    "verify": verify,
    "changed-key": changed_key,
    "help": help_,
}


@dataclass(frozen=True)
class Picture:
    """One screen in one size."""

    name: str
    size: tuple[int, int]

    @property
    def file(self) -> str:
        return f"{self.name}-{self.size[0]}x{self.size[1]}.svg"


PICTURES: Final = tuple(Picture(name, size) for name in ("first-start", *SCREENS) for size in SIZES)


async def taken(picture: Picture) -> str:
    """Play it, and draw it."""
    with tempfile.TemporaryDirectory() as place, played():
        if picture.name == "first-start":
            return await _first_start(picture, Path(place))
        played_by = stage(
            Path(place), size=picture.size, choices=QUIET, before=group.has_talked, name="Bob"
        )
        async with played_by as it:
            await SCREENS[picture.name](it)
            return await drawn(it.pilot)


async def drawn(pilot: Hands) -> str:
    """As it is when the cursor is to be seen."""
    app = pilot.app
    for line in app.screen.query(Input):
        line._pause_blink(visible=True)
    for area in app.screen.query(TextArea):
        area._pause_blink(visible=True)
    await pilot.settled()
    return svg(app)


async def _first_start(picture: Picture, folder: Path) -> str:
    async with keeping(SymbolicSuite(1)) as server:
        opening = replace(Opening(folder / "ann"), server=server.url)
        app = SocpApp(opening, QUIET, login="ann")
        async with hands_on(app, picture.size) as pilot:
            await pilot.until(lambda: isinstance(app.screen, FirstStart))
            state = app.screen.query_one("#server-state", Static)
            await pilot.until(lambda: "✓" in str(state.render()))
            port = server.url.rsplit(":", 1)[1]
            return (await drawn(pilot)).replace(port, "8001".ljust(len(port), "\u00a0"))


def main(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        (folder / picture.file).write_text(asyncio.run(taken(picture)))
        sys.stdout.write(f"{folder / picture.file}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
