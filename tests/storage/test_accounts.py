"""Logins by password and invitations on disk (section 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.node.records import (
    AccountGone,
    Cursor,
    Home,
    Invitation,
    InvitationGone,
    Login,
    LoginRemoved,
    LoginSetup,
    Record,
)
from tests.site import Site
from tests.storage.examples import ACCOUNT, ALICE, BOB, NOW
from tests.storage.test_node_store import written

LOGIN = Login(ALICE, "record", "box")
SETUP = LoginSetup(b"\x00secret\xff")
INVITATION = Invitation("ab" * 32, NOW)
OTHER = Invitation("cd" * 32, NOW + 1)


def test_a_login_comes_back_with_its_setup_and_fills_the_standards_fields(site: Site) -> None:
    found = written(site, [ACCOUNT, SETUP, LOGIN])
    assert (found.accounts, found.logins) == ((ACCOUNT,), (LOGIN,))
    assert found.login_setup == SETUP.setup
    assert site.ask("SELECT privkey_store, pake_password FROM users") == [("box", "record")]


@pytest.mark.parametrize("together", [True, False])
def test_the_later_word_about_a_login_counts(site: Site, together: bool) -> None:
    changed = replace(LOGIN, record="new", box="new box")
    writes: list[Record] = [ACCOUNT, LOGIN, LoginRemoved(ALICE), changed]
    batches = [writes] if together else [[each] for each in writes]
    assert written(site, *batches).logins == (changed,)


@pytest.mark.parametrize("together", [True, False])
def test_a_removed_login_leaves_nothing_behind(site: Site, together: bool) -> None:
    writes: list[Record] = [ACCOUNT, LOGIN, LoginRemoved(ALICE)]
    batches = [writes] if together else [[each] for each in writes]
    assert written(site, *batches).logins == ()
    assert site.ask("SELECT privkey_store, pake_password FROM users") == [(None, None)]


def test_what_the_brain_says_of_an_account_later_keeps_its_login(site: Site) -> None:
    renamed = replace(ACCOUNT, display_name="Ann")
    found = written(site, [ACCOUNT, LOGIN], [renamed])
    assert (found.accounts, found.logins) == ((renamed,), (LOGIN,))


def test_a_login_of_nobody_is_not_kept(site: Site) -> None:
    assert written(site, [replace(LOGIN, user_id=BOB)]).logins == ()


@pytest.mark.parametrize("together", [True, False])
def test_a_used_invitation_is_gone_and_the_others_stay(site: Site, together: bool) -> None:
    writes: list[Record] = [INVITATION, OTHER, InvitationGone(INVITATION.code_hash)]
    batches = [writes] if together else [[each] for each in writes]
    assert written(site, *batches).invitations == (OTHER,)


@pytest.mark.parametrize("together", [True, False])
def test_who_gave_way_leaves_nothing_behind_and_may_come_again(site: Site, together: bool) -> None:
    home, cursor = Home(ALICE, "here", 0), Cursor(ALICE, 7)
    other = replace(ACCOUNT, user_id=BOB)
    writes: list[Record] = [ACCOUNT, home, cursor, other, AccountGone(ALICE)]
    batches = [writes] if together else [[each] for each in writes]
    found = written(site, *batches)
    assert (found.accounts, found.homes, found.cursors) == ((other,), (), ())
    again: list[Record] = [ACCOUNT, LOGIN, home, cursor, AccountGone(ALICE), ACCOUNT, cursor]
    found = written(site, *([again] if together else [[each] for each in again]))
    assert set(found.accounts) == {ACCOUNT, other}
    assert (found.logins, found.homes, found.cursors) == ((), (), (cursor,))


def test_no_secret_has_a_repr() -> None:
    assert repr(LOGIN) == f"Login(user_id={ALICE!r})"
    assert repr(SETUP) == "LoginSetup()"
