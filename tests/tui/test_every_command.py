"""Every command there is, typed on the full screen: what it does is seen at the other side, on the
screen or in the library. Whoever adds one drives it here, or is told by name that nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from textual.content import Content
from textual.widgets import Input

from socp.member.records import TrustState
from socp.talk import commands
from socp.tui.help_screen import HelpScreen
from socp.tui.row_view import RowView
from socp.tui.search_screen import SearchScreen
from socp.tui.verify_screen import VerifyScreen
from socp.wire.content import Delete, Edit, Reaction, Text
from tests.tui.stage import Pilots, Stage, driven, stage

WORDS: Final = tuple(word for word, _, _ in commands.TABLE)


async def tell(it: Stage) -> None:
    await it.enters("/all")
    await it.until(lambda: it.session.turned_to == "public")
    await it.enters("/tell bob only you")
    await it.bob_reads(Text(body="only you"))
    assert it.session.turned_to == it.bob.id


async def to_all(it: Stage) -> None:
    await it.enters("/all hi all")
    await it.sees("▎ hi all")
    assert it.session.turned_to == "public"
    assert (await it.session.me.history("public"))[-1].text == "hi all"


async def reply(it: Stage) -> None:
    ref = await it.said_by_bob("which day?")
    await it.enters("/reply friday")
    await it.bob_reads(Text(body="friday", reply_to=ref))
    await it.sees('↪ bob\'s "which day?"')


async def edit(it: Stage) -> None:
    ref = await it.said_by_me("at nin")
    await it.enters("/edit at nine")
    await it.bob_reads(Edit(of=ref, body="at nine"))
    await it.sees("at nine")


async def delete(it: Stage) -> None:
    ref = await it.said_by_me("a secret")
    await it.enters("/delete")
    await it.bob_reads(Delete(of=ref))
    await it.until(lambda: "a secret" not in it.shown())


async def react(it: Stage) -> None:
    ref = await it.said_by_bob("finished")
    await it.enters("/react 👍")
    await it.bob_reads(Reaction(of=ref, emoji="👍"))
    await it.sees("👍 you")


async def history(it: Stage) -> None:
    await it.said_by_me("once more")
    number = it.last.number
    await it.enters("/history 5")
    await it.sees(f"#{number}")
    it.session.turn_to("public")
    await it.enters("/history bob")
    await it.until(lambda: it.session.turned_to == it.bob.id)


async def search(it: Stage) -> None:
    await it.said_by_me("the blue harbour")
    await it.enters("/search harbour")
    await it.until(lambda: isinstance(it.app.screen, SearchScreen))
    await it.until(lambda: "the blue harbour" in it.app.screen.query_one(RowView).text())


async def verify(it: Stage) -> None:
    await it.enters("/verify bob")
    await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
    await it.until(lambda: it.read("#number"))
    number = it.session.me.safety_number(it.bob.id)
    assert number[:5] in it.read("#number")
    await it.begins_again()
    await it.enters(f"/verify bob {number}")
    await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.VERIFIED)
    await it.until(lambda: "verified" in it.read("TalkHead"))


async def trust(it: Stage) -> None:
    await it.session.me.verify(it.bob.id, it.session.me.safety_number(it.bob.id))
    await it.enters("/trust bob unsure")
    await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.UNVERIFIED)
    await it.enters("/trust bob")
    await it.until(lambda: isinstance(it.app.screen, VerifyScreen))


async def file(it: Stage) -> None:
    path = it.session.me.downloads / "plan.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("a plan")
    await it.enters(f"/file bob {path}")
    await it.sees("▤ plan.txt")
    await it.until(lambda: any(f["type"] == "FILE_START" for f in it.link.heard))


async def list_(it: Stage) -> None:
    await it.enters("/list")
    await it.until(lambda: any(f["type"] == "LIST_REQUEST" for f in it.link.heard))
    await it.link.say("USER_LIST", {"users": [it.link.user_id, it.bob.id]})
    await it.sees("2 on the server's list:")
    await it.sees("alice  you")


async def members(it: Stage) -> None:
    await it.enters("/members verified")
    await it.sees("everyone is for verified")
    assert it.session.me.public_choice.verified_only
    await it.enters("/members all")
    await it.until(lambda: not it.session.me.public_choice.verified_only)


async def whois(it: Stage) -> None:
    await it.enters("/whois bob")
    await it.sees(f"id  {it.bob.id}")


async def receipts(it: Stage) -> None:
    await it.enters("/receipts off")
    await it.sees("nobody hears from you")
    assert not it.session.me.tells_read
    await it.enters("/receipts on")
    await it.until(lambda: it.session.me.tells_read)


async def cancel(it: Stage) -> None:
    await it.file_waits()
    await it.enters("/cancel long.bin")
    await it.sees("you stopped it")
    await it.enters("/cancel")
    await it.sees("no file is on its way")


async def rotate_key(it: Stage) -> None:
    before = it.session.me.fingerprint
    await it.enters("/rotate-key")
    await it.sees("this makes a new key")
    assert it.session.me.fingerprint == before
    await it.enters("/rotate-key yes")
    await it.sees("making a new key")


async def revoke_key(it: Stage) -> None:
    await it.enters("/revoke-key")
    await it.sees("this gives up your id for ever")
    assert it.session.link.attached


async def wait(it: Stage) -> None:
    await it.enters("/wait 3")
    await it.sees("/wait is for scripts")


async def help_(it: Stage) -> None:
    await it.enters("/help")
    await it.until(lambda: isinstance(it.app.screen, HelpScreen))


async def quit_(it: Stage) -> None:
    await it.enters("/quit")
    await it.until(lambda: it.app.return_value == 0)


PILOTS: Final[Pilots] = {
    "tell": tell,
    "all": to_all,
    "reply": reply,
    "edit": edit,
    "delete": delete,
    "react": react,
    "history": history,
    "search": search,
    "verify": verify,
    "trust": trust,
    "file": file,
    "list": list_,
    "members": members,
    "whois": whois,
    "receipts": receipts,
    "cancel": cancel,
    "rotate-key": rotate_key,
    "revoke-key": revoke_key,
    "wait": wait,
    "help": help_,
    "quit": quit_,
}
LAST: Final = ("rotate-key", "quit")  # after them nothing is as before


@pytest.mark.parametrize("word", WORDS)
def test_every_command_is_driven(word: str) -> None:
    assert word in PILOTS, f"nobody drives /{word} on the full screen"


async def test_every_command_does_what_it_says(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await driven(it, PILOTS, [*(word for word in WORDS if word not in LAST), *LAST])


# What follows a command that takes something; of the others nothing.
FAULTS: Final[Mapping[str, str]] = {
    "tell": "write /tell",
    "reply": "write /reply",
    "edit": "write /edit",
    "react": "write /react",
    "search": "write /search",
    "verify": "write /verify",
    "trust": "write /trust",
    "file": "write /file",
    "whois": "write /whois",
    "wait": "write /wait",
}


async def test_what_a_command_lacks_is_said_and_it_is_not_lost(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for word, said in FAULTS.items():
            await it.begins_again()
            await it.enters(f"/{word}")
            await it.sees(said)
            await it.until(lambda: it.composer.text)
            assert it.composer.text == f"/{word}"


async def test_the_palette_has_every_command_in_full_and_types_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        offered = {
            Content.from_markup(each.title).plain: each
            for each in it.app.get_system_commands(it.app.screen)
        }
        for word, arguments, purpose in commands.TABLE:
            if word == "wait":
                continue
            found = offered[f"/{word} {arguments}".rstrip()]
            assert Content.from_markup(found.help).plain == purpose
            found.callback()
            assert it.composer.text.rstrip() == f"/{word}"


async def test_a_command_is_found_in_the_palette_by_a_part_of_its_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.pilot.press("ctrl+p")
        await it.until(lambda: it.app.screen is not it.talk)
        it.app.screen.query_one(Input).value = "/histo"
        await it.until(lambda: "[NAME|all] [lines]" in drawn(it), "the whole command is shown")
        await it.pilot.press("enter")
        await it.until(lambda: it.composer.text == "/history ")


def drawn(it: Stage) -> str:
    """The uppermost screen, as the terminal is given it."""
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in it.app.screen._compositor.render_strips()
    )
