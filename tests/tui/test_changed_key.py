"""A changed key stops the conversation (threat I9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from socp.crypto.safety_number import grouped
from socp.member.records import TrustState
from socp.tui.changed_key import ChangedKey
from socp.tui.sure_button import ASKS, SureButton
from socp.tui.verify_screen import VerifyScreen
from tests.client.mailbox_server import Absent
from tests.tui.stage import Stage, stage

pytestmark = pytest.mark.threat("I9")

CAROL_ID = "33333333-3333-4333-8333-333333333333"


async def changes(it: Stage) -> None:
    """The server says that Bob has another key."""
    await Absent(it.server, it.suite.generate()).is_known(it.link)
    await it.until(lambda: it.session.me.trust_of(it.bob.id) is TrustState.CHANGED)


async def test_it_takes_the_place_of_the_composer_and_says_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("half")
        await changes(it)
        banner = it.talk.query_one(ChangedKey)
        await it.until(lambda: banner.display)
        assert not it.composer.display
        words = str(banner.query_one("#what-happened", Static).render())
        assert "Nothing is sent until you decide" in words
        await it.pilot.press("tab", "enter")
        await it.until(lambda: it.composer.display)
        assert it.session.me.trust_of(it.bob.id) is TrustState.UNVERIFIED
        assert it.composer.text == "half"


async def test_who_takes_the_new_key_is_asked_twice(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await changes(it)
        banner = it.talk.query_one(ChangedKey)
        await it.until(lambda: banner.display)
        claimed = it.session.me.claimed_number(it.bob.id)
        await it.pilot.click("#take")
        assert it.session.me.trust_of(it.bob.id) is TrustState.CHANGED
        await it.pilot.click("#take")
        await it.until(lambda: it.composer.display)
        assert it.session.me.safety_number(it.bob.id) == claimed


async def test_both_numbers_can_be_compared(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await changes(it)
        banner = it.talk.query_one(ChangedKey)
        await it.until(lambda: banner.display)
        known = it.session.me.safety_number(it.bob.id)
        await it.pilot.press("enter")
        await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
        await it.until(lambda: "with the claimed key" in it.read("#claimed"))
        assert grouped(known)[0] in it.read("#number")
        it.app.screen.query_one(Input).value = "12345"
        await it.pilot.press("enter")
        await it.until(lambda: it.read("#fault"))
        assert it.session.me.trust_of(it.bob.id) is TrustState.CHANGED
        it.app.screen.query_one(Input).value = " ".join(grouped(known))
        await it.pilot.press("enter")
        await it.until(lambda: it.session.me.trust_of(it.bob.id) is TrustState.VERIFIED)
        await it.pilot.press("escape")
        await it.until(lambda: it.composer.display)


async def test_unverified_is_quiet_and_verified_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.until(lambda: "F3 compares keys" in it.read("TalkHead"))
        number = it.session.me.safety_number(it.bob.id)
        await it.says("/verify bob")
        await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
        await it.until(lambda: it.read("#number"))
        assert "█" in it.read("#code")
        await it.types(number)
        await it.pilot.press("enter")
        await it.until(lambda: "bob is verified" in it.read("#state"))
        await it.pilot.press("escape")
        await it.until(lambda: "✔ verified" in it.read("TalkHead"))
        assert "bob ✔" in it.talks()


async def test_who_was_asked_about_one_was_not_asked_about_another(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        carol = Absent(it.server, it.suite.generate(), "carol", id=CAROL_ID)
        await carol.is_known(it.link)
        await it.opens()
        await changes(it)
        await Absent(it.server, it.suite.generate(), "carol", id=CAROL_ID).is_known(it.link)
        await it.until(lambda: it.session.me.trust_of(CAROL_ID) is TrustState.CHANGED)
        words = it.talk.query_one("#what-happened", Static)
        await it.until(lambda: "to be bob" in str(words.render()))
        await it.pilot.click("#take")
        it.session.turn_to(CAROL_ID)
        await it.until(lambda: "to be carol" in str(words.render()))
        await it.pilot.click("#take")
        button = it.talk.query_one("#take", SureButton)
        await it.until(lambda: str(button.label) == ASKS)
        for who in (it.bob.id, CAROL_ID):
            assert it.session.me.trust_of(who) is TrustState.CHANGED


@pytest.mark.parametrize("screen", [ChangedKey, VerifyScreen])
async def test_a_key_that_is_held_down_takes_no_claimed_key(
    tmp_path: Path, screen: type[ChangedKey | VerifyScreen]
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await changes(it)
        await it.until(lambda: it.talk.query_one(ChangedKey).display)
        if screen is VerifyScreen:
            await it.pilot.press("f3")
            await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
            await it.until(lambda: "with the claimed key" in it.read("#claimed"))
        it.app.screen.query_one("#take", SureButton).focus()
        await it.pilot.press("enter", "enter", "enter", "enter")
        assert it.session.me.trust_of(it.bob.id) is TrustState.CHANGED
        it.app.screen.query_one("#take", SureButton).forget()
        for _ in range(2):
            it.app.screen.query_one("#take", SureButton).focus()
            await it.pilot.press("enter")
        await it.until(lambda: it.session.me.trust_of(it.bob.id) is not TrustState.CHANGED)


async def test_claims_in_a_loop_are_one_question_and_it_is_asked_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        liars = [Absent(it.server, it.suite.generate()) for _ in range(40)]
        for liar in liars * 2:
            await liar.comes(it.link)
        await it.said_by_bob("what is it?")
        assert it.session.blocked
        await it.sees("what is it?")
        assert it.shown().count("key changed: somebody claims") == 1
        await it.session.me.keep_key(it.bob.id)
        await it.until(lambda: it.composer.display)
        await liars[0].comes(it.link)
        await it.said_by_bob("it is over")
        assert not it.session.blocked
        await it.sees("it is over")
        assert it.shown().count("key changed: somebody claims") == 1
