"""Servers that break one rule of releases each: SERVER_DELIVER with queued: true."""

from __future__ import annotations

from socp.conform.frames import now_ms
from tests.conform.bent import Bent, Case, Frame, Hook, Through, only, resigned

DAY_MS = 86_400_000


def takes(code: str) -> Hook:
    """What must be refused so is acknowledged."""

    def down(link: Through, frame: Frame) -> list[Frame]:
        if link.is_user or frame["payload"].get("code") != code:
            return [frame]
        return [link.signed({**frame, "type": "ACK"}, code=None, detail=None, status="queued")]

    return only("ERROR", down)


def says_queued_of_all(link: Through, frame: Frame) -> list[Frame]:
    delivered = not link.is_user and frame["payload"].get("status") == "delivered"
    return [link.signed(frame, status="queued")] if delivered else [frame]


def is_silent_the_second_time(link: Through, frame: Frame) -> list[Frame]:
    told: set[str] = link.notes.setdefault("told", set())
    ref = frame["payload"].get("msg_ref", "")
    again = not link.is_user and ref in told
    told.add(ref)
    return [] if again else [frame]


def loses_old_mail(link: Through, frame: Frame) -> list[Frame]:
    """Of those who acknowledge it."""
    keeps = "mailbox/1" in link.first["payload"].get("features", ())
    return [] if keeps and now_ms() - frame["ts"] > DAY_MS else [frame]


def releases_once() -> Bent:
    gone: set[str] = set()

    def down(_link: Through, frame: Frame) -> list[Frame]:
        text = frame["payload"]["ciphertext"]
        if text in gone:
            return []
        gone.add(text)
        return [frame]

    return Bent("releases once", down=only("SERVER_DELIVER", down))


RELEASED = (
    Case(
        Bent("queued for ever", down=only("ACK", says_queued_of_all)),
        "11.52-release",
        ("11.5[2-57-9]-*",),
    ),
    Case(Bent("forged", down=takes("INVALID_SIG")), "11.53-release-forged", ("11.5[2-6]-*",)),
    Case(Bent("any key", down=takes("BAD_KEY")), "11.54-release-other-key", ("11.5[2-6]-*",)),
    Case(Bent("ahead", down=takes("BAD_FRAME")), "11.55-release-ahead", ("11.5[2-6]-*",)),
    Case(
        Bent("silent again", down=only("ACK", is_silent_the_second_time)),
        "11.56-release-once",
        ("11.5[2-7]-*",),
    ),
    Case(
        Bent("loses mail", down=only("USER_DELIVER", loses_old_mail)),
        "11.57-release-kept",
        ("11.5[2-7]-*",),
    ),
    Case(
        Bent("as new", down=only("SERVER_DELIVER", resigned(queued=None))),
        "11.58-releases",
        ("11.5[2-46-9]-*",),
    ),
    Case(releases_once(), "11.59-releases-until-acked", ("11.5[2-46-9]-*",)),
)
