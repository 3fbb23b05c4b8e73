"""Two kinds of error, by whose fault it is (section 9)."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The codes we send in ERROR; parsers take any code."""

    USER_NOT_FOUND = "USER_NOT_FOUND"
    INVALID_SIG = "INVALID_SIG"
    BAD_KEY = "BAD_KEY"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    NAME_IN_USE = "NAME_IN_USE"
    BAD_FRAME = "BAD_FRAME"
    NOT_ALLOWED = "NOT_ALLOWED"
    RATE_LIMITED = "RATE_LIMITED"
    MAILBOX_FULL = "MAILBOX_FULL"
    TOO_LARGE = "TOO_LARGE"


class PeerFault(Exception):
    """The other side did something we refuse. Answered with one ERROR, logged once, no traceback.

    `detail` says what happened and what to do about it; `close` is the WebSocket close code if the
    link must end, else None; `msg_ref` names the refused message where there is one; `answerable`
    is False for what was itself an ERROR or an ACK, which gets no answer (section 2); `moved_to`
    is the server that a user moved to, as far as known (section 5, delivery); `constant` is True
    where the answer is the same for all, and names no message unless the link is bound: it is
    signed once, so that it may be said while there is too much to sign.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        close: int | None = None,
        msg_ref: str | None = None,
        answerable: bool = True,
        moved_to: str = "",
        constant: bool = False,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.close = close
        self.msg_ref = msg_ref
        self.answerable = answerable
        self.moved_to = moved_to
        self.constant = constant


class Misuse(Exception):
    """A bug of ours: reaches the top, loudly."""
