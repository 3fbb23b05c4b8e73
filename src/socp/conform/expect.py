"""What rules expect of an answer, and how they say what else came."""

from __future__ import annotations

from typing import Final

from socp.conform.canonical import canonical, foreign_forms, unb64
from socp.conform.figures import STANDARD_CODES, WINDOW_MS
from socp.conform.frames import Frame, now_ms
from socp.conform.keys import PublicKey
from socp.conform.link import Link, Where
from socp.conform.verdicts import Breach, Dialect

LISTS: Final = ("USER_LIST", "LIST_RESPONSE")
"""What answers a request for the list (section 13)."""


async def refused(link: Link, *codes: str, ref: str = "") -> Frame:
    """The ERROR that must come. `ref`: an ACK of that would say that it was taken instead.

    Which code others give for what the standard has none for is their own affair: a dialect.
    """
    came = await _verdict_on(link, ref)
    if came is None:
        raise Dialect(f"it closes the link ({link.close_code}) and sends no ERROR")
    if came.type == "ACK":
        raise Breach(f"it was taken: {came.gist()}")
    code = str(came.get("code"))
    if code in codes:
        return came
    due = " or ".join(codes)
    if STANDARD_CODES.isdisjoint(codes):
        raise Dialect(f"it refuses with {code} in place of {due}")
    raise Breach(f"the ERROR says {code} in place of {due}")


async def _verdict_on(link: Link, ref: str) -> Frame | None:
    """ERROR, or ACK of `ref`; None where the link was closed instead."""

    def tells(frame: Frame) -> bool:
        return frame.type == "ERROR" or (bool(ref) and frame.get("msg_ref") == ref)

    return await link.hears_or_ends("ERROR", "ACK", where=tells)


def same(what: str, got: object, due: object) -> None:
    """Raises Breach where they are not equal."""
    if got != due:
        raise Breach(f"{what} is {_short(got)}, and should be {_short(due)}")


def timely(frame: Frame) -> None:
    """Raises Breach where its ts is not that of now, in Unix ms."""
    if type(frame.ts) is not int or abs(frame.ts - now_ms()) > WINDOW_MS:
        raise Breach(f"ts is {frame.ts!r}, and it is {now_ms()}")


def text_of(frame: Frame, name: str) -> str:
    """A member of its payload that must be a text. Raises Breach."""
    value = frame.get(name)
    if not isinstance(value, str):
        raise Breach(f"{frame.type}: {name} is {_short(value)}, and should be a text")
    return value


def bytes_of(frame: Frame, name: str) -> bytes:
    """A member of its payload that must be base64url. Raises Breach."""
    try:
        return unb64(text_of(frame, name))
    except ValueError as fault:
        raise Breach(f"{frame.type}: {name} is no base64url") from fault


def list_of(frame: Frame, name: str) -> list[object]:
    """A member of its payload that must be a list. Raises Breach."""
    value = frame.get(name)
    if not isinstance(value, list):
        raise Breach(f"{frame.type}: {name} is {_short(value)}, and should be a list")
    return value


def _short(value: object) -> str:
    text = "not there" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def signed_form(key: PublicKey, frame: Frame) -> str:
    """What its sig covers: "" for the canonical payload, else the name of a form that others use.
    Raises Breach where it covers none that we know of."""
    if not frame.sig:
        raise Breach(f"{frame.type} has no sig")
    if key.signed(frame.sig, canonical(frame.payload)):
        return ""
    for name, text in foreign_forms(frame.payload, frame.members).items():
        if key.signed(frame.sig, text):
            return name
    raise Breach(
        f"the sig of {frame.type} covers neither its canonical payload nor any form in use"
    )


def of_user(user_id: str) -> Where:
    """Frames about this user."""
    return lambda frame: frame.get("user_id") == user_id


def about(ref: str) -> Where:
    """Frames about this message or file."""
    return lambda frame: frame.get("msg_ref") == ref
