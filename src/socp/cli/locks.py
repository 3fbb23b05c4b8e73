"""From what was typed and chosen to what unlocks a profile. Asks only at a terminal, and in the
main thread, whatever else waits meanwhile."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from socp.cli import secret
from socp.cli.secret import NoSecret
from socp.cli.unseen import unseen
from socp.client import unlocking
from socp.client.errors import VaultLocked, WeakPassphrase
from socp.client.unlocking import Keyring, Lock, Passphrase, Plain
from socp.keystore.vault_file import Locked

TRIES: Final = 3
_WHAT: Final = "passphrase"
_PLAIN: Final = (
    "no passphrase: whoever can read this folder can read all that is in it, and speak as you;"
    " `socp profile passwd` seals it later\n"
)


def lock_for(
    folder: Path, vault: str | None = None, passphrase_file: str | None = None
) -> Lock | None:
    """What opens the profile in `folder`, or seals it where it is new; None where nothing is needed
    and where nobody said: the library then says what to do. ClientError."""
    locked = unlocking.locked(folder)
    if locked is None:
        return new_lock(vault, passphrase_file)
    if locked is not Locked.PASSPHRASE:
        return None
    if passphrase_file is not None:
        return said(first_line(passphrase_file))
    return said(_right(folder)) if sys.stdin.isatty() else None


def new_lock(
    vault: str | None, passphrase_file: str | None, prompt: str = "a passphrase for this profile"
) -> Lock | None:
    """How something new is sealed; asked at a terminal, None where there is none. ClientError."""
    if vault == "plain":
        return Plain()
    if vault == "keyring":
        return Keyring()
    if passphrase_file is not None:
        return said(first_line(passphrase_file))
    if not sys.stdin.isatty():
        return None
    text = ask_new(prompt, plain=vault is None)
    if text:
        return said(text)
    sys.stderr.write(_PLAIN)
    return Plain()


def said(text: str) -> Passphrase:
    """As somebody gave it."""
    return Passphrase(lambda: text)


def ask_new(prompt: str, *, plain: bool) -> str:
    """Typed twice, and strong enough; "" where `plain` is allowed and nothing was typed."""
    hint = " (none: Enter)" if plain else ""
    for _ in range(TRIES):
        text = typed(f"{prompt}{hint}: ")
        if not text and plain:
            return ""
        try:
            unlocking.check_new(text)
        except WeakPassphrase as weak:
            sys.stderr.write(f"{weak}\n")
            continue
        if typed("once more: ") == text:
            return text
        sys.stderr.write("the two are not the same; try again\n")
    raise WeakPassphrase("no passphrase was chosen; try again, or use --passphrase-file FILE")


def first_line(file: str) -> str:
    """The passphrase in it; VaultLocked where it cannot be read."""
    with _wanted():
        return secret.first_line(file, _WHAT)


def _right(folder: Path) -> str:
    """The profile's passphrase, as the person types it at last."""
    for left in reversed(range(TRIES)):
        if seconds := unlocking.wait_s(folder):
            sys.stderr.write(f"after a wrong passphrase the next one waits: {seconds:.0f} s\n")
            with _ended_by_ctrl_c(), unseen():
                time.sleep(seconds)
        text = typed("passphrase: ")
        if unlocking.is_right(folder, text):
            return text
        sys.stderr.write("that is not it; try again\n" if left else "")
    raise VaultLocked("that is not the passphrase of this profile")


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """In an event loop too, which would only note that it was typed."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def typed(prompt: str) -> str:
    """What somebody types without its being shown. VaultLocked where nobody does."""
    with _wanted(), _ended_by_ctrl_c():
        return secret.typed(prompt, _WHAT, "--passphrase-file FILE")


@contextmanager
def _wanted() -> Iterator[None]:
    """Without it the profile stays locked."""
    try:
        yield
    except NoSecret as fault:
        raise VaultLocked(str(fault)) from None
