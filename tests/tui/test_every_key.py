"""Every key of the key table does what the table says. Whoever adds one drives it here, or is told
by name that nobody does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click
import pytest

from socp.member.effects import FileProgress
from socp.tui import keys, own_keys
from socp.tui.choices_file import BadChoices, Choices, read
from socp.tui.emoji_screen import EmojiScreen
from socp.tui.help_screen import HelpScreen
from socp.tui.jump_screen import JumpScreen
from socp.tui.own_keys import BadKeys
from socp.tui.people import PeopleList
from socp.tui.search_screen import SearchScreen
from socp.tui.take_back_screen import TakeBackScreen
from socp.tui.verify_screen import VerifyScreen
from socp.wire.content import Delete, Edit, Reaction, Text
from tests.tui.stage import Pilots, Stage, driven, stage
from tests.tui.test_window import filled

KEYS: Final = {key.name: key for where in keys.TABLE.values() for key in where}
FILE_ID: Final = "44444444-4444-4444-8444-444444444444"


async def presses(it: Stage, name: str, which: int = 0) -> None:
    """One of the keys that do it."""
    await it.pilot.press(keys.names_of(KEYS[name], {})[which])
    await it.pilot.settled()


def all_of(name: str) -> range:
    return range(len(keys.names_of(KEYS[name], {})))


async def opens(it: Stage, name: str, screen: type) -> None:
    await presses(it, name)
    await it.until(lambda: isinstance(it.app.screen, screen))
    await it.pilot.press("escape")
    await it.until(lambda: it.app.screen is it.talk)


# --- everywhere ----------------------------------------------------------------------------------


async def help_(it: Stage) -> None:
    await opens(it, "help", HelpScreen)


async def jump(it: Stage) -> None:
    await opens(it, "jump", JumpScreen)


async def search(it: Stage) -> None:
    await opens(it, "search", SearchScreen)


async def palette(it: Stage) -> None:
    await presses(it, "palette")
    await it.until(lambda: "CommandPalette" in type(it.app.screen).__name__)
    await it.pilot.press("escape")
    await it.until(lambda: it.app.screen is it.talk)


async def next_talk(it: Stage) -> None:
    for which in all_of("next-talk"):
        was = it.session.turned_to
        await presses(it, "next-talk", which)
        assert it.session.turned_to != was


async def previous_talk(it: Stage) -> None:
    for which in all_of("previous-talk"):
        was = it.session.turned_to
        await presses(it, "previous-talk", which)
        assert it.session.turned_to != was


async def next_unread(it: Stage) -> None:
    it.session.turn_to("public")
    await it.bob_says("are you there?")
    await it.until(lambda: it.session.unseen.count(it.bob.id))
    await presses(it, "next-unread")
    await it.sees("are you there?")
    await it.until(lambda: not it.session.unseen.count(it.bob.id))


async def people(it: Stage) -> None:
    there = it.talk.query_one(PeopleList)
    was = there.display
    for now in (not was, was):
        await presses(it, "people")
        assert there.display is now


async def verify(it: Stage) -> None:
    await opens(it, "verify", VerifyScreen)
    it.session.turn_to("public")
    await presses(it, "verify")
    await it.sees("Ctrl-K turns to somebody")


async def file(it: Stage) -> None:
    await it.types("hi")
    await presses(it, "file")
    assert it.composer.text == "/file bob "
    await presses(it, "said-before")
    assert it.composer.text == "hi"  # nothing is lost


async def theme(it: Stage) -> None:
    was = it.app.theme
    await presses(it, "theme")
    assert it.app.theme != was


async def quit_(it: Stage) -> None:
    file_is_on_its_way(it)
    await presses(it, "quit")
    await it.sees("plan.pdf is on its way")
    assert it.app.return_value is None
    await presses(it, "quit")
    await it.until(lambda: it.app.return_value == 0)


def file_is_on_its_way(it: Stage) -> None:
    it.session._heard(FileProgress(FILE_ID, it.bob.id, "plan.pdf", 1, 9, sending=True))


# --- in the composer -----------------------------------------------------------------------------


async def send(it: Stage) -> None:
    await it.types("sent")
    await presses(it, "send")
    await it.bob_reads(Text(body="sent"))


async def new_line(it: Stage) -> None:
    for which in all_of("new-line"):
        await it.types("x")
        await presses(it, "new-line", which)
    assert it.composer.text == "x\n" * len(all_of("new-line"))


async def complete(it: Stage) -> None:
    await it.types("/who")
    await presses(it, "complete")
    assert it.composer.text == "/whois "


async def edit_last(it: Stage) -> None:
    ref = await it.said_by_me("frst")
    await presses(it, "edit-last")
    assert it.composer.text == "frst"
    it.composer.text = "first"
    await presses(it, "send")
    await it.bob_reads(Edit(of=ref, body="first"))


async def said_before(it: Stage) -> None:
    await it.said_by_me("once")
    await it.said_by_me("twice")
    await it.types("now")
    await presses(it, "said-before")
    assert it.composer.text == "twice"
    await presses(it, "said-before")
    assert it.composer.text == "once"


async def said_after(it: Stage) -> None:
    await said_before(it)
    await presses(it, "said-after")
    assert it.composer.text == "twice"
    await presses(it, "said-after")
    assert it.composer.text == "now"


async def page_up(it: Stage) -> None:
    was = it.messages.scroll_offset.y
    assert was > 10
    await presses(it, "page-up")
    await it.until(lambda: it.messages.scroll_offset.y < was)


async def page_down(it: Stage) -> None:
    await page_up(it)
    was = it.messages.scroll_offset.y
    await presses(it, "page-down")
    await it.until(lambda: it.messages.scroll_offset.y > was)


async def leave(it: Stage) -> None:
    await presses(it, "leave")
    assert it.messages.has_focus


# --- on a message --------------------------------------------------------------------------------


async def on_last(it: Stage) -> None:
    """The last message is marked."""
    await it.until(lambda: it.session.window.to_end)
    await it.pilot.press("escape", "end")
    await it.until(lambda: it.messages.at == str(it.last.number))


async def on_a_new_one(it: Stage, name: str, *, mine: bool) -> str:
    text = f"to {name}"
    ref = await (it.said_by_me(text) if mine else it.said_by_bob(text))
    await on_last(it)
    return ref


async def reply(it: Stage) -> None:
    ref = await on_a_new_one(it, "reply", mine=False)
    await presses(it, "reply")
    await it.until(lambda: it.composer.has_focus)
    await it.types("yes")
    await presses(it, "send")
    await it.bob_reads(Text(body="yes", reply_to=ref))


async def edit(it: Stage) -> None:
    ref = await on_a_new_one(it, "edit", mine=True)
    await presses(it, "edit")
    await it.until(lambda: it.composer.text == "to edit")
    await it.types("or")
    await presses(it, "send")
    await it.bob_reads(Edit(of=ref, body="to editor"))


async def delete(it: Stage) -> None:
    for which in all_of("delete"):
        ref = await on_a_new_one(it, f"delete {which}", mine=True)
        await presses(it, "delete", which)
        await it.until(lambda: isinstance(it.app.screen, TakeBackScreen))
        await it.pilot.press("tab", "enter")
        await it.bob_reads(Delete(of=ref))
        await it.pilot.press("i")
    await on_a_new_one(it, "keep", mine=False)
    await presses(it, "delete")
    await it.sees("only who said it can take it back")


async def react(it: Stage) -> None:
    for which, emoji in zip(all_of("react"), ("tada", "rocket"), strict=True):
        ref = await on_a_new_one(it, f"react {which}", mine=False)
        await presses(it, "react", which)
        await it.until(lambda: isinstance(it.app.screen, EmojiScreen))
        await it.types(emoji)
        await it.pilot.press("enter")
        sign = {"tada": "🎉", "rocket": "🚀"}[emoji]
        await it.bob_reads(Reaction(of=ref, emoji=sign))
        await it.pilot.press("i")


async def copy(it: Stage) -> None:
    for which in all_of("copy"):
        await on_a_new_one(it, f"copy {which}", mine=False)
        await presses(it, "copy", which)
        assert it.app.clipboard == f"to copy {which}"
        await it.pilot.press("i")


async def copy_link(it: Stage) -> None:
    await on_a_new_one(it, "see https://example.org/a, or not", mine=False)
    await presses(it, "copy-link")
    assert it.app.clipboard == "https://example.org/a"
    await it.pilot.press("i")
    await on_a_new_one(it, "nothing", mine=False)
    await presses(it, "copy-link")
    await it.sees("there is no link in it")


async def open_(it: Stage) -> None:
    opened: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click, "launch", opened.append)
        await on_a_new_one(it, "open https://example.org/b", mine=False)
        await presses(it, "open")
        await it.until(lambda: opened == ["https://example.org/b"])


async def cancel(it: Stage) -> None:
    await it.file_waits()
    await on_last(it)
    await presses(it, "cancel")
    await it.sees("you stopped it")


async def write(it: Stage) -> None:
    for which in all_of("write"):
        await it.pilot.press("escape")
        assert it.messages.has_focus
        await presses(it, "write", which)
        assert it.composer.has_focus


async def newest(it: Stage) -> None:
    for which in all_of("newest"):
        it.messages.focus()
        await it.pilot.press("home")
        await it.until(lambda: it.messages.scroll_offset.y < 5)
        await presses(it, "newest", which)
        await it.until(lambda: it.messages.at == str(it.last.number) and it.messages.at_end)


# --- in a list -----------------------------------------------------------------------------------


async def down(it: Stage) -> None:
    await it.pilot.press("escape", "home")
    for which in all_of("down"):
        was = it.messages.at
        await presses(it, "down", which)
        assert int(it.messages.at) > int(was)


async def up(it: Stage) -> None:
    await on_last(it)
    for which in all_of("up"):
        was = it.messages.at
        await presses(it, "up", which)
        assert int(it.messages.at) < int(was)


async def first(it: Stage) -> None:
    for which in all_of("first"):
        await on_last(it)
        await presses(it, "first", which)
        assert it.messages.at == str(it.session.window.lines[0].number)
        await it.pilot.press("i")


async def choose(it: Stage) -> None:
    await it.bob_says("\n".join(f"choose {number}" for number in range(40)))
    await it.sees("Enter unfolds")
    await on_last(it)
    await presses(it, "choose")
    await it.sees("choose 39")


PILOTS: Final[Pilots] = {
    "help": help_,
    "jump": jump,
    "search": search,
    "palette": palette,
    "next-talk": next_talk,
    "previous-talk": previous_talk,
    "next-unread": next_unread,
    "people": people,
    "verify": verify,
    "file": file,
    "theme": theme,
    "quit": quit_,
    "send": send,
    "new-line": new_line,
    "complete": complete,
    "edit-last": edit_last,
    "said-before": said_before,
    "said-after": said_after,
    "page-up": page_up,
    "page-down": page_down,
    "leave": leave,
    "reply": reply,
    "edit": edit,
    "delete": delete,
    "react": react,
    "copy": copy,
    "copy-link": copy_link,
    "open": open_,
    "cancel": cancel,
    "write": write,
    "newest": newest,
    "down": down,
    "up": up,
    "first": first,
    "choose": choose,
}


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_driven(name: str) -> None:
    assert name in PILOTS, f"nobody presses the key of {name}"


async def test_every_key_does_what_the_table_says(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(60)) as it:
        await driven(it, PILOTS, [*(name for name in KEYS if name != "quit"), "quit"])


# --- keys of one's own ---------------------------------------------------------------------------


async def test_every_action_can_have_another_key_and_the_usual_one_is_free(tmp_path: Path) -> None:
    mine = own_keys.checked({name: f"f{at}" for at, name in enumerate(("jump", "quit"), 13)})
    async with stage(tmp_path, choices=Choices(notify="off", keys=mine)) as it:
        await it.pilot.press("ctrl+q", "ctrl+k")
        await it.pilot.settled()
        assert it.app.screen is it.talk
        assert it.app.return_value is None
        await it.pilot.press("f13")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await it.pilot.press("f14")  # in a screen that lies over it, too
        await it.until(lambda: it.app.return_value == 0)


@pytest.mark.parametrize("name", KEYS)
def test_what_a_key_is_bound_to_follows_the_file(name: str) -> None:
    mine = own_keys.checked({name: "F20, ctrl+alt+y"})
    assert keys.names_of(KEYS[name], mine) == ["f20", "ctrl+alt+y"]
    assert keys.shown(KEYS[name], mine) == "F20 or Ctrl-Alt-Y"


def test_no_two_keys_of_the_table_are_the_same() -> None:
    assert not list(own_keys.clashes({}))


@pytest.mark.parametrize(
    ("mine", "why"),
    [
        ({"jump": "ctrl+f"}, "jump and search are both ctrl+f; give one of them another key"),
        ({"react": "c"}, "react and copy are both c"),
        ({"send": "ctrl+k"}, "jump and send are both ctrl+k"),
        ({"send": "ctrl+i"}, "send and complete are both tab"),
        ({"send": "s"}, "send cannot be s: nobody could type it any more"),
        ({"jump": "?"}, "jump cannot be question_mark: nobody could type it"),
        ({"jump": "ctlr+o"}, "'ctlr+o' is none; keys are such as"),
        ({"jump": "ctrl+o,"}, "'' is none"),
    ],
)
def test_a_key_that_cannot_be_is_named_with_its_remedy(mine: dict[str, str], why: str) -> None:
    with pytest.raises(BadKeys, match=re.escape(why)):
        own_keys.checked(mine)


def test_two_keys_may_change_places() -> None:
    mine = {"jump": "ctrl+f", "search": "ctrl+k", "reply": "+", "react": "r"}
    assert own_keys.checked(mine)["reply"] == "plus"


def test_the_file_says_which_keys_clash(tmp_path: Path) -> None:
    file = tmp_path / "tui.toml"
    file.write_text('[keys]\njump = "ctrl+f"\n')
    with pytest.raises(BadChoices, match=f"{file}: jump and search are both ctrl\\+f"):
        read(file)
