"""One of every notice, with hostile words wherever others write them."""

from __future__ import annotations

from typing import Final, get_args

from socp.client.notices import GivenUp, Notice, Offline
from socp.member import effects
from socp.member.contacts import Person
from socp.member.effects import OwnKeyState, Trust, TrustState
from socp.member.records import LineState

BOB: Final = "b0b00000-0000-4000-8000-000000000000"
ANN: Final = "a0000000-0000-4000-8000-000000000000"
FILE: Final = "44444444-4444-4444-8444-444444444444"
REF: Final = "r" * 43
KEY: Final = "0123456789abcdef" * 4
NOW: Final = 1_700_000_000_000
HOSTILE: Final = "\x1b[31m\u202e<b>x</b>\r\n\x07\x9b2J" + "e" + "\u0301" * 2_000

_BOB: Final = Person(BOB, "bob", True, NOW, KEY, False, True)
NOTICES: Final[tuple[Notice, ...]] = (
    effects.Online(BOB, KEY, proven=True, first_seen=False),
    Offline(HOSTILE),
    GivenUp(HOSTILE),
    effects.Warned(HOSTILE),
    effects.MessageArrived(BOB, HOSTILE, NOW, Trust.PINNED, False, REF, 3, 7, REF, late=True),
    effects.MessageRefused(BOB, HOSTILE, NOW, 4),
    effects.Amended(BOB, REF, BOB, "edit", HOSTILE, NOW, 8),
    effects.Amended(BOB, REF, BOB, "delete", "", NOW, 8),
    effects.Amended(BOB, REF, BOB, "reaction", HOSTILE, NOW, 8),
    effects.Amended(BOB, REF, BOB, "reaction", "", NOW, 8),
    effects.GapFound(BOB, BOB, 2, NOW - 60_000, NOW, asked=True),
    effects.GapFound("public", BOB, 1, 0, NOW, asked=False),
    effects.GapClosed(BOB, BOB),
    effects.LineMoved(1, BOB, HOSTILE, LineState.WAITING, HOSTILE, 9),
    effects.LineMoved(1, BOB, HOSTILE, LineState.READ, "", 9),
    effects.PeerMoved(BOB, HOSTILE, online=True, first_seen=True),
    effects.KeyChanged(BOB, KEY, KEY[::-1]),
    effects.KeyReplaced(BOB, KEY, KEY[::-1], was_verified=True),
    effects.KeyRevoked(BOB),
    effects.TrustMoved(BOB, TrustState.VERIFIED),
    effects.TrustMoved(BOB, TrustState.UNVERIFIED),
    effects.TrustMoved(BOB, TrustState.CHANGED),
    effects.OwnKeyMoved(OwnKeyState.REPLACED, KEY, ""),
    effects.MembersShown((_BOB,), (_BOB,)),
    effects.ListAnswered((ANN, BOB)),
    effects.WhoisAnswered(BOB, KEY, HOSTILE),
    effects.FileOffered(FILE, BOB, HOSTILE, 12, False, Trust.PINNED),
    effects.FileProgress(FILE, BOB, HOSTILE, 6, 12, sending=True, bytes_per_s=3, remaining_s=2),
    effects.FileProgress(FILE, "public", HOSTILE, 6, 12, sending=False),
    effects.FileWaits(FILE, BOB, HOSTILE, 6, 12, sending=True, reason=HOSTILE),
    effects.FileDone(FILE, BOB, HOSTILE, 12, sending=False, path="/tmp/" + HOSTILE + "\udcff"),
    effects.FileFailed(FILE, BOB, HOSTILE, sending=True, reason=HOSTILE),
)
assert {type(notice) for notice in NOTICES} == set(get_args(Notice)), "a notice without an example"


def label(user_id: str) -> str:
    """As an address book has it: harmless already."""
    return {BOB: "bob", ANN: "ann"}.get(user_id, user_id[:8])
