"""What opens a profile, and what does not (threat P4)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError

from socp.client import unlocking
from socp.client.errors import (
    ProfileUnusable,
    SealUnchosen,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from socp.client.profile_folder import Chosen, OpenProfile, open_profile
from socp.client.unlocking import OF_BEFORE, Keyring, Lock, Passphrase, Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.crypto.vault import Vault
from socp.keystore import keep, system_keyring, tries, vault_file
from socp.keystore.vault_file import Locked

SUITE = SymbolicSuite(1)
WORDS = "correct horse battery"

pytestmark = pytest.mark.threat("P4")


class InMemory(KeyringBackend):
    """A system's keyring."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


class Forgetful(InMemory):
    """One that takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@pytest.fixture
def system() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    ours = InMemory()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_FIRST_WAIT_MS", 0)


def passphrase(text: str = WORDS) -> Passphrase:
    return Passphrase(lambda: text)


def at(folder: Path, lock: Lock | None, name: str = "Alice") -> OpenProfile:
    """Opened, and let go of again."""
    opened = open_profile(folder, Chosen(name), SUITE, lock)
    opened.store.close()
    return opened


def test_a_passphrase_opens_what_it_sealed(tmp_path: Path) -> None:
    first = at(tmp_path, passphrase())
    assert unlocking.locked(tmp_path) is Locked.PASSPHRASE
    again = at(tmp_path, passphrase(), name="")
    assert (again.user_id, again.display_name) == (first.user_id, "Alice")
    assert again.keys.present.public == first.keys.present.public
    assert again.warnings == ()


def test_a_wrong_one_is_a_clear_line_and_the_next_waits_longer_each_time(tmp_path: Path) -> None:
    at(tmp_path, passphrase())
    assert unlocking.wait_s(tmp_path) == 0
    waits = []
    for _ in range(3):
        with pytest.raises(WrongPassphrase, match="not the passphrase of this profile; try again"):
            at(tmp_path, passphrase("wrong horse battery"))
        waits.append(unlocking.wait_s(tmp_path))
    assert 0 < waits[0] < waits[1] < waits[2] <= 4
    at(tmp_path, passphrase())
    assert unlocking.wait_s(tmp_path) == 0


def test_without_a_passphrase_nothing_is_asked_and_the_line_says_what_to_do(tmp_path: Path) -> None:
    at(tmp_path, passphrase())
    for lock in (None, Plain(), Keyring()):
        with pytest.raises(VaultLocked, match="--passphrase-file"):
            at(tmp_path, lock)


def test_a_weak_passphrase_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(WeakPassphrase, match="10 characters"):
        at(tmp_path, passphrase("short"))
    assert unlocking.locked(tmp_path) is None


def test_a_passphrase_of_no_characters_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(WeakPassphrase, match="type it again"):
        at(tmp_path, passphrase("correct horse \udcff battery"))
    assert unlocking.locked(tmp_path) is None


def test_nobody_decides_for_a_new_profile_how_it_is_sealed(tmp_path: Path) -> None:
    with pytest.raises(SealUnchosen, match="--vault plain"):
        at(tmp_path / "new", None)
    assert not (tmp_path / "new").exists()


def test_a_new_profile_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(ProfileUnusable, match="give it a name"):
        at(tmp_path / "new", Plain(), name="")


def test_a_plain_profile_needs_nothing(tmp_path: Path) -> None:
    first = at(tmp_path, Plain())
    assert at(tmp_path, None).user_id == first.user_id
    assert at(tmp_path, passphrase()).user_id == first.user_id
    assert unlocking.locked(tmp_path) is Locked.PLAIN


def test_the_systems_keyring_opens_what_it_keeps_the_key_of(
    tmp_path: Path, system: InMemory
) -> None:
    first = at(tmp_path, Keyring())
    assert at(tmp_path, None).user_id == first.user_id
    system.kept.clear()
    with pytest.raises(VaultLocked, match="has no key for this profile"):
        at(tmp_path, None)


def test_a_keyring_that_answers_with_something_else_is_one_line(
    tmp_path: Path, system: InMemory
) -> None:
    at(tmp_path, Keyring())
    for other in ("not base64!", "AAAA"):
        for place in system.kept:
            system.kept[place] = other
        with pytest.raises((VaultLocked, ProfileUnusable)) as fault:
            at(tmp_path, None)
        assert "\n" not in str(fault.value)


def test_without_a_keyring_no_profile_is_made(tmp_path: Path, system: InMemory) -> None:
    keyring.set_keyring(Forgetful())
    with pytest.raises(VaultLocked, match="does not keep what it is given"):
        at(tmp_path, Keyring())
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    with pytest.raises(VaultLocked, match="keyring does not answer"):
        at(tmp_path, Keyring())
    assert unlocking.locked(tmp_path) is None


def test_a_profile_of_before_is_opened_and_said_to_be_in_clear_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    keep(tmp_path / "key.pem", SUITE.generate())
    assert at(tmp_path, passphrase()).warnings == (OF_BEFORE,)
    assert at(tmp_path, None).warnings == ()
    assert unlocking.locked(tmp_path) is Locked.PLAIN


def test_a_profile_whose_vault_key_is_gone_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    at(tmp_path, Plain())
    (tmp_path / "vault.key").unlink()
    for lock in (None, Plain(), passphrase()):
        with pytest.raises(ProfileUnusable, match=r"vault.key is gone.*restore it from a backup"):
            at(tmp_path, lock)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"lock":"plain","key":"AAAA"}',
        '{"lock":"plain","key":"\xe4"}',
        '{"lock":"passphrase","key":"AAAA"}',
        "\xff",
    ],
)
def test_a_damaged_vault_key_is_one_line(tmp_path: Path, content: str) -> None:
    at(tmp_path, Plain())
    (tmp_path / "vault.key").write_text(content)
    for _ in range(2):
        with pytest.raises(ProfileUnusable, match=r"restore it from a backup") as fault:
            at(tmp_path, passphrase())
        assert "\n" not in str(fault.value)


def test_how_it_is_locked_can_be_changed_and_what_it_holds_stays(
    tmp_path: Path, system: InMemory, no_wait: None
) -> None:
    first = at(tmp_path, Plain())
    now: Lock | None = None
    for then in (passphrase(), passphrase("another horse battery"), Keyring(), Plain()):
        former = unlocking.unlock(tmp_path, now)
        assert unlocking.lock_anew(tmp_path, former, then).master != former.master
        now = then
        assert at(tmp_path, now).user_id == first.user_id
    assert system.kept == {}  # the last had no use for it any more
    unlocking.lock_anew(tmp_path, unlocking.unlock(tmp_path, None), passphrase())
    with pytest.raises(WrongPassphrase):
        at(tmp_path, passphrase("another horse battery"))


def test_a_passphrase_can_be_checked_without_opening_anything(
    tmp_path: Path, no_wait: None
) -> None:
    at(tmp_path / "a", passphrase())
    at(tmp_path / "b", Plain())
    assert unlocking.is_right(tmp_path / "a", WORDS)
    assert not unlocking.is_right(tmp_path / "a", "wrong horse battery")
    assert not unlocking.is_right(tmp_path / "b", "")


def test_the_vault_key_is_its_owners_alone(tmp_path: Path) -> None:
    at(tmp_path, Plain())
    assert stat.S_IMODE((tmp_path / "vault.key").stat().st_mode) == 0o600
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(ProfileUnusable, match="chmod 600"):
        at(tmp_path, None)


def test_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    at(tmp_path, passphrase())
    found = vault_file.load(tmp_path)
    shown = f"{found!r} {passphrase()!r} {Vault(bytes(32))!r}"
    assert "key=" not in shown
    assert "lambda" not in shown
    assert system_keyring.SERVICE == "socp"
