"""The dear part of what comes, done before the brain is asked: a sealed message costs more than a
millisecond of arithmetic to open, which needs no decision and can be done in any thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from socp.crypto.keys import PrivateKey
from socp.member.letters import Letter, delivered, posted
from socp.wire import limits, payloads
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.payloads import MsgPublicChannel, UserDeliver

Work = Callable[[], None]
Openers = Callable[[str], Sequence[PrivateKey]]


class Ahead:
    """`own`: our present key; `of_channel`: those that an author's posts may be sealed to, the
    likeliest first, which are tried until one opens it.

    Where another key is needed, or a letter is not even looked at, nothing is lost but time.
    """

    def __init__(self, own: Callable[[], PrivateKey], of_channel: Openers) -> None:
        self._own = own
        self._of_channel = of_channel

    def work(self, envelope: Envelope) -> Work | None:
        """What can be done in a thread before this is handled; None: nothing."""
        try:
            letter = _letter(envelope)
        except PeerFault:
            return None  # the brain says so in its turn
        if letter is None or not letter.sealed:
            return None
        keys = self._of_channel(letter.author) if letter.public else (self._own(),)
        if not keys:
            return None
        block = letter.raw[: limits.RSA_BYTES]
        return lambda: _open(keys, block)


def _open(keys: Sequence[PrivateKey], block: bytes) -> None:
    for key in keys:
        if key.open_ahead(block):
            return


def _letter(envelope: Envelope) -> Letter | None:
    if payloads.TYPES.get(envelope.type) not in (UserDeliver, MsgPublicChannel):
        return None
    payload = payloads.parse(envelope)
    if isinstance(payload, UserDeliver):
        return delivered(envelope, payload)
    assert isinstance(payload, MsgPublicChannel)
    return posted(envelope, payload)
