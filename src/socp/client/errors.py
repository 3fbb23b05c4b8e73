"""What goes wrong for a client, by name; `str()` of each is a line for a person, with a remedy."""

from __future__ import annotations

from collections.abc import Sequence


class ClientError(Exception):
    """Any of these; a program that only wants to show the line catches this one."""


class ProfileBusy(ClientError):
    """Another process uses this profile."""


class ProfileUnusable(ClientError):
    """The profile's folder, key or store cannot be read or written."""


class ProfileResealed(ProfileUnusable):
    """Another program gave the profile a new key while its history was open (`socp profile
    passwd`): open it again."""


class VaultLocked(ClientError):
    """The profile is sealed, and nothing was given that opens it."""


class WrongPassphrase(VaultLocked):
    """Not the passphrase of this profile. The next try has to wait, longer each time: 30 s at
    most."""


class WeakPassphrase(ClientError):
    """A new passphrase that is soon guessed; the text says what to change."""


class SealUnchosen(ClientError):
    """Nobody said how the new profile is to be sealed."""


class ParcelUnreadable(ClientError):
    """An exported profile that is none, is damaged, or has another passphrase."""


class ClientClosed(ClientError):
    """The client was closed: nobody would carry out what it is asked for."""


class BadAddress(ClientError):
    """The server's address is not one."""


class TurnedAway(ClientError):
    """The server refused us, and trying again would not help."""


class NoAnswer(ClientError):
    """The server did not answer in time, or there is no link to ask over."""


class UnknownPerson(ClientError):
    """Nobody known is called that."""


class AmbiguousPerson(ClientError):
    """Several people are called that. `user_ids` are theirs."""

    def __init__(self, line: str, user_ids: Sequence[str]) -> None:
        super().__init__(line)
        self.user_ids = tuple(user_ids)


class UnknownKey(ClientError):
    """No key is known for somebody: there is nothing to compare."""


class NothingClaimed(ClientError):
    """No other key is claimed for somebody: there is nothing to decide about."""


class NumbersDiffer(ClientError):
    """What was read out is not the safety number of both, or none at all: nobody is verified."""


class OthersKeyMeant(NumbersDiffer):
    """It is the safety number with the key that is claimed for them, not with the known one."""


class KeyUnchanged(ClientError):
    """Our own key was neither replaced nor revoked: all is as before."""


class FileUnsendable(ClientError):
    """A file that cannot be offered, or changed while it was read."""


class FileUnstorable(ClientError):
    """A received file that could not be kept; nothing of it counts as received."""


class FileWrong(FileUnstorable):
    """A received file that is not what its sender announced; it would be no better again."""


def first_of(group: BaseExceptionGroup) -> BaseException:
    """What went wrong first; the rest followed from it."""
    fault = group.exceptions[0]
    return first_of(fault) if isinstance(fault, BaseExceptionGroup) else fault
