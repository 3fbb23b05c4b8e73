"""Pictures of the full screen: eight screens in three sizes (`script/pictures`)."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import FileProgress
from socp.tui.app import SocpApp
from socp.tui.choices_file import Choices
from socp.tui.first_start import FirstStart
from socp.tui.opening import Opening
from socp.wire.content import Edit, Reaction, Text
from tests.client.mailbox_server import Absent, keeping
from tests.tui.stage import Stage, stage, waited

SIZES: Final = ((80, 24), (120, 36), (200, 60))
QUIET: Final = Choices(notify="off")
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FAMILY: Final = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'
PEOPLE: Final = ("carol", "Dave Miller", "erin", "Frédéric", "grace")
LONG: Final = "\n".join(f"{n:>3} | def step_{n}(self) -> None: ..." for n in range(1, 41))


def svg(app: SocpApp) -> str:
    """The picture, which asks no other machine for a font."""
    drawn = _FONTS.sub("", app.export_screenshot(title="socp"))
    return drawn.replace("Fira Code, monospace", _FAMILY).replace("Fira Code", "ui-monospace")


async def peopled(it: Stage) -> None:
    """Bob is here, and some others."""
    await it.bob.comes(it.link)
    for number, name in enumerate(PEOPLE, 2):
        their_id = f"{number}1111111-1111-4111-8111-111111111111"
        other = Absent(it.server, it.suite.generate(), name, their_id)
        await other.comes(it.link)
        await it.until(lambda who=their_id: who in it.session.here)  # type: ignore[misc]
    await it.until(lambda: it.bob.id in it.session.here)


async def spoken(it: Stage) -> None:
    """A talk with a little of everything."""
    await peopled(it)
    number = it.session.me.safety_number(it.bob.id)
    await it.session.me.verify(it.bob.id, number)
    await it.opens()
    await it.bob_says("Did you see https://example.org/harbour/plan yet? The ferry leaves at ten.")
    await it.sees("Did you see")
    first = it.session.window.lines[-1].msg_ref
    await it.says("Yes! I bring the tickets, and the map that we marked last time :tada:")
    await it.sees("I bring the tickets")
    await it.until(lambda: it.session.window.lines[-1].msg_ref)
    mine = it.session.window.lines[-1].msg_ref
    await it.bob_says(Edit(of=first, body="Did you see https://example.org/harbour/plan yet?"))
    await it.bob_says(Text(body="Perfect. Nine, then, not ten.", reply_to=mine))
    await it.bob_says(Reaction(of=mine, emoji="👍"))
    it.server.answers = "delivered"
    await it.bob_says("Here is what the script says:\n" + LONG)
    await it.sees("Enter unfolds")
    plan = Path(tempfile.mkdtemp()) / "harbour-plan.pdf"
    plan.write_bytes(bytes(3_000_000))
    await it.session.me.send_file(it.bob.id, plan)
    await it.sees("harbour-plan.pdf")
    await it.sees("keeps it until they")
    file_id = it.session.window.lines[-1].file_id
    half = FileProgress(
        file_id, it.bob.id, plan.name, 1_900_000, 3_000_000, True, 1_048_576, remaining_s=1
    )
    it.session._heard(half)
    await it.sees("63% of")
    await it.types("See you at the pier")


async def everyone(it: Stage) -> None:
    """The public channel, the light theme, an answer to a command, no server."""
    await peopled(it)
    it.app.theme = "socp-light"
    await it.says("/all Good morning! Who is at the office today?")
    await it.sees("Good morning")
    await it.says("/receipts off")
    await it.server.stop()
    await it.until(lambda: not it.session.link.attached)
    await it.says("Anybody?")
    await it.sees("Anybody?")


async def jump(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("ctrl+k")
    await it.types("er")


async def search(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("ctrl+f")
    await it.types("harb")
    await it.until(lambda: "found" in it.read("#count"))


async def verify(it: Stage) -> None:
    await spoken(it)
    await it.pilot.press("f3")
    await it.until(lambda: "█" in it.read("#code"))


async def changed_key(it: Stage) -> None:
    await spoken(it)
    await Absent(it.server, it.suite.generate()).is_known(it.link)
    await it.until(lambda: it.session.blocked)


async def help_(it: Stage) -> None:
    it.app.theme = "socp-high-contrast"
    await it.pilot.press("f1")


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
    with tempfile.TemporaryDirectory() as place:
        if picture.name == "first-start":
            return await _first_start(picture, Path(place))
        async with stage(Path(place), size=picture.size, choices=QUIET) as it:
            await SCREENS[picture.name](it)
            await it.pilot.pause(0.4)
            return svg(it.app)


async def _first_start(picture: Picture, folder: Path) -> str:
    async with keeping(SymbolicSuite(1)) as server:
        opening = replace(Opening(folder / "ann"), server=server.url)
        app = SocpApp(opening, QUIET, login="ann")
        async with app.run_test(size=picture.size) as pilot:
            await waited(pilot, lambda: isinstance(app.screen, FirstStart))
            await pilot.pause(0.4)
            port = server.url.rsplit(":", 1)[1]
            return svg(app).replace(port, "8001".ljust(len(port), "\u00a0"))


def main(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        (folder / picture.file).write_text(asyncio.run(taken(picture)))
        sys.stdout.write(f"{folder / picture.file}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
