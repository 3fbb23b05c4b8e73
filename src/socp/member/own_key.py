"""Our own key: replaced by a new one that it signs, or revoked (section 10; threats I10, P4).

The new key lies on the disk before anything is said; the former one is used until a server says
that it took the new one. Where its answer was lost, the next hello tells: a server that refuses the
former key gets the new one, with the statement that leads to it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from socp.crypto import rotation
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import FIRST_VERSION, KeyStep, Revocation
from socp.member.effects import (
    Disconnect,
    DropKey,
    OwnKeyMoved,
    OwnKeyState,
    PromoteKey,
)
from socp.member.emitter import Emitter
from socp.member.events import Now, RevokeKey, RotateKey
from socp.member.key_book import KeyBook
from socp.member.resting import NEVER_MS, SOON_MS
from socp.wire import limits
from socp.wire.payloads import KeyRevoke, KeyRotate, Rotation

UNANSWERED_MS: Final = 15_000
CHANGING: Final = "your key is being replaced; it goes in a moment"
NOT_NOW: Final = "there is no link to a server that can take it; try again when you are connected"
LAST: Final = (
    f"this id had {limits.KEY_VERSION_MAX} keys, and nobody takes another; begin a new profile"
    " (--as NAME)"
)
REVOKED: Final = (
    "you revoked this id, and nobody takes it any more; use another profile (--as NAME)"
)
REPLACED: Final = (
    "your key was replaced on another machine. If that was you, go on there, or set a password"
    " there and log in here with it (socp account login) into a new profile (--as NAME). If it was"
    " not you, /revoke-key yes ends this id for ever, whoever has it now"
)


class Stage(Enum):
    """What becomes of the new key."""

    NONE = auto()
    WAITS = auto()  # until nothing of ours is on its way, or a server is there
    SAID = auto()  # KEY_ROTATE is out
    TRIED = auto()  # the former one was refused: hello goes with the new one


class OwnKey:
    """`use` is called with the key to use from then on, and the former ones, newest first."""

    def __init__(
        self,
        emitter: Emitter,
        book: KeyBook,
        pending: PrivateKey | None,
        use: Callable[[PrivateKey, tuple[PrivateKey, ...]], None],
    ) -> None:
        self._emit = emitter
        self._book = book
        self._use = use
        self._pending = pending
        self._stage = Stage.NONE if pending is None else Stage.WAITS
        self._takes = False  # the server at the other end has `rotate/1`
        self._since_ms = 0  # monotonic
        self.is_replaced = False  # the server knows a later key, and takes this one's last word
        self._last_word_only = False  # on this link
        self._ends = False  # the person wants this id to end, and no server has taken that yet
        self._revoking: Revocation | None = None  # said on this link
        self._forget_given_up()

    def _forget_given_up(self) -> None:
        """A step to a key that we neither have nor are about to have was never taken."""
        ours = {self._emit.key.public.text}
        if self._pending is not None:
            ours.add(self._pending.public.text)
        own_id = self._emit.user_id
        while (steps := self._book.steps(own_id)) and steps[-1].pubkey not in ours:
            self._book.drop_newest(own_id)

    # --- what others ask ------------------------------------------------------------------------

    @property
    def revoked(self) -> bool:
        """Whether this id is dead."""
        return self._emit.user_id in self._book.revoked

    @property
    def changing(self) -> bool:
        """Nothing new should be sent: it would be signed with a key that is about to go."""
        return self._takes and self._stage in (Stage.WAITS, Stage.SAID)

    @property
    def chain(self) -> tuple[Rotation, ...]:
        """The statements that lead to the key that we say hello with."""
        own_key = self._emit.key.public.text
        steps = self._book.steps(self._emit.user_id)
        while steps and steps[-1].pubkey != own_key:
            steps = steps[:-1]
        said = tuple(step.rotation for step in steps if step.sig)
        return said[-limits.ROTATIONS_MAX :]

    @property
    def version(self) -> int:
        """Of the key that we say hello with."""
        own_key = self._emit.key.public.text
        steps = self._book.steps(self._emit.user_id)
        return next((s.version for s in steps if s.pubkey == own_key), FIRST_VERSION)

    # --- the person -----------------------------------------------------------------------------

    def rotate(self, event: RotateKey, now: Now) -> None:
        """A new key lies on the disk: have the server take it in place of ours."""
        if self._pending is not None:
            return self._tell(OwnKeyState.REFUSED, "another new key is on its way already")
        last = self.version >= limits.KEY_VERSION_MAX
        if last or not self._takes or self.revoked:
            self._emit.add(DropKey())
            return self._tell(OwnKeyState.REFUSED, LAST if last else NOT_NOW)
        self._pending, self._stage = event.key, Stage.WAITS
        self._tell(OwnKeyState.WAITING, "")

    def revoke(self, event: RevokeKey, now: Now) -> None:
        """Say the last word of this id."""
        if self._stage is Stage.SAID or not (self._takes or self.is_replaced):
            return self._tell(OwnKeyState.REFUSED, NOT_NOW)
        self._ends = True
        if self._takes or self._last_word_only:
            self._say_last(now)

    def _say_last(self, now: Now) -> None:
        word = rotation.revoke(self._emit.user_id, self._emit.key, self.version, now.wall)
        self._revoking, self._since_ms = word, now.mono
        said = KeyRevoke(user_id=word.user_id, version=word.version, ts=word.ts, sig=word.sig)
        self._emit.send(said, now)

    # --- the link -------------------------------------------------------------------------------

    def attached(self, *, takes: bool) -> None:
        """A server took our hello; `takes`: it has proved itself and has `rotate/1`."""
        self._takes, self.is_replaced = takes, False
        if self._stage is Stage.TRIED:
            self._switched()

    def replaced(self, now: Now) -> None:
        """The server knows a later key of ours: it takes the last word of this one, if that."""
        self.is_replaced = self._last_word_only = True
        if self._ends:
            self._say_last(now)

    def lost(self) -> None:
        """The link is gone; what became of our statement the next hello will tell, and that the id
        is to end is said again on the next link."""
        self._takes = self._last_word_only = False
        self._revoking = None
        if self._stage is Stage.SAID:
            self._stage = Stage.WAITS

    def refused(self) -> bool:
        """The server knows our id with another key. True where a hello with the new one may do."""
        if self._stage is Stage.TRIED:  # neither: the former one is ours as far as we know
            former, *older = self._emit.former
            self._use(former, tuple(older))
            self._stage = Stage.WAITS
            return False
        if self._pending is None or not self._is_signed(self._pending):
            return False
        self._stage = Stage.TRIED
        self._use(self._pending, (self._emit.key, *self._emit.former))
        return True

    def _is_signed(self, key: PrivateKey) -> bool:
        steps = self._book.steps(self._emit.user_id)
        return bool(steps) and steps[-1].pubkey == key.public.text

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        waits = self._stage in (Stage.WAITS, Stage.SAID) or self._ends
        return SOON_MS if waits or self._revoking is not None else NEVER_MS

    def due(self, now: Now, *, idle: bool) -> None:
        """Say it once nothing of ours is on its way under the former key."""
        if self._ends and self._takes and self._revoking is None:
            self._say_last(now)
        elif self._stage is Stage.WAITS and self._takes and idle and not self._ends:
            self._say(now)
        waits = self._stage is Stage.SAID or self._revoking is not None
        if waits and now.mono - self._since_ms >= UNANSWERED_MS:
            self._since_ms = now.mono
            self._emit.add(Disconnect("the server does not say what becomes of our key"))

    def _say(self, now: Now) -> None:
        assert self._pending is not None
        own_id, version = self._emit.user_id, self.version
        steps = self._book.steps(own_id)
        if self._is_signed(self._pending):  # an earlier statement, which this one replaces
            self._book.drop_newest(own_id)
        elif not steps:
            self._keep(KeyStep(own_id, version, self._emit.key.public.text, 0, "", ""))
        ts = max(now.wall, self._book.last_ts(own_id) + 1)  # whatever this machine's clock did
        step = rotation.rotate(own_id, self._emit.key, self._pending, version + 1, ts)
        self._keep(step)
        said = KeyRotate(
            user_id=own_id,
            pubkey=step.pubkey,
            version=step.version,
            ts=step.ts,
            sig=step.sig,
            new_sig=step.new_sig,
        )
        self._stage, self._since_ms = Stage.SAID, now.mono
        self._emit.send(said, now)

    def _keep(self, step: KeyStep) -> None:
        self._book.add((step,))
        self._emit.persist(step)

    # --- answers --------------------------------------------------------------------------------

    def acked(self, msg_ref: str) -> None:
        """ACK of KEY_ROTATE or KEY_REVOKE: it is committed there."""
        if msg_ref == KeyRotate.TYPE and self._stage is Stage.SAID:
            assert self._pending is not None
            self._use(self._pending, (self._emit.key, *self._emit.former))
            self._switched()
            self._emit.add(Disconnect("on with the new key"))
        elif msg_ref == KeyRevoke.TYPE and self._revoking is not None:
            word, self._revoking, self._ends = self._revoking, None, False
            self._book.revoked[word.user_id] = word
            self._emit.persist(word)
            self._tell(OwnKeyState.REVOKED, "")
            self._emit.add(Disconnect(REVOKED, retry=False))

    def _switched(self) -> None:
        self._pending, self._stage = None, Stage.NONE
        self._emit.add(PromoteKey(self.version - 1))
        self._tell(OwnKeyState.REPLACED, "")

    def failed(self, msg_ref: str, reason: str) -> None:
        """ERROR about one of them: all stays as it was."""
        if msg_ref == KeyRotate.TYPE and self._stage is Stage.SAID:
            self._book.drop_newest(self._emit.user_id)
            self._pending, self._stage = None, Stage.NONE
            self._emit.add(DropKey())
        elif msg_ref == KeyRevoke.TYPE and self._revoking is not None:
            self._revoking, self._ends = None, False
        else:
            return
        self._tell(OwnKeyState.REFUSED, reason)

    def _tell(self, state: OwnKeyState, reason: str) -> None:
        self._emit.tell(OwnKeyMoved(state, self._emit.key.public.fingerprint, reason))
