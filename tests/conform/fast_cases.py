"""Servers that break one rule of fast-sig/1 each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from socp.conform import frames, preimages
from socp.conform.canonical import unb64
from socp.conform.figures import SESSION_MS, WINDOW_MS
from socp.conform.frames import now_ms
from socp.conform.keys import read_key
from socp.conform.sessions import ED, NotASession, Session, read_session
from socp.conform.verdicts import Verdict
from tests.conform.bent import Bent, Case, Frame, Hook, Through, lost, only, resigned

PROOF, RENEWAL, DELIVERY = "AUTH_PROOF", "SESSION_KEY", "SERVER_DELIVER"
FORGED = ED + "A" * 86


# --- certificates -------------------------------------------------------------------------------


def stating(hook: Hook) -> Hook:
    """What becomes of an answer with a session."""
    return lambda link, frame: hook(link, frame) if "session" in frame["payload"] else [frame]


def certifies_nothing(link: Through, frame: Frame) -> list[Frame]:
    stated = frame["payload"]["session"]
    return [link.signed(frame, session={**stated, "sig": link.key.sign(b"x")})]


def certifies_two_days(link: Through, frame: Frame) -> list[Frame]:
    stated = frame["payload"]["session"]
    begins, ends = stated["from_ts"], stated["from_ts"] + 2 * SESSION_MS
    text = preimages.session_key(frame["from"], unb64(stated["key"]), begins, ends)
    return [link.signed(frame, session={**stated, "until_ts": ends, "sig": link.key.sign(text)})]


def forges(_link: Through, frame: Frame) -> list[Frame]:
    return [{**frame, "sig": FORGED}]


def states_to_who_lacks(feature: str) -> Hook:
    """A session for who did not announce this."""

    def down(link: Through, frame: Frame) -> list[Frame]:
        announced = link.first["payload"].get("features", ())
        hello = frame["payload"].get("msg_ref") == "USER_HELLO"
        told = hello and announced and feature not in announced
        return [link.signed(frame, session={})] if told else [frame]

    return down


# --- whose sessions it takes --------------------------------------------------------------------


def own_session(link: Through, stated: object) -> Session | None:
    """What this guest states, None where their key did not sign it for them."""
    try:
        owner = read_key(link.first["payload"]["pubkey"])
        return read_session(stated, owner, link.first["from"])
    except NotASession:
        return None


def takes(is_taken: Callable[[Through, Frame], bool]) -> Hook:
    """Such an AUTH_PROOF with session is taken, as one without."""

    def up(link: Through, frame: Frame) -> list[Frame]:
        if "session" not in frame["payload"] or not is_taken(link, frame):
            return [frame]
        payload = {name: value for name, value in frame["payload"].items() if name != "session"}
        return [{**frame, "payload": payload, "sig": ""}]

    return only(PROOF, up)


def times(frame: Frame) -> tuple[int, int]:
    stated = frame["payload"]["session"]
    return stated["from_ts"], stated["until_ts"]


def is_foreign(link: Through, frame: Frame) -> bool:
    return own_session(link, frame["payload"]["session"]) is None


def is_long(_link: Through, frame: Frame) -> bool:
    begins, ends = times(frame)
    return ends - begins > SESSION_MS


def is_over(_link: Through, frame: Frame) -> bool:
    return times(frame)[1] < now_ms() - WINDOW_MS


def is_to_come(_link: Through, frame: Frame) -> bool:
    return times(frame)[0] > now_ms() + WINDOW_MS


def is_unsigned(_link: Through, frame: Frame) -> bool:
    return not frame["sig"]


# --- the next one -------------------------------------------------------------------------------


def renewing(said: Callable[[Through, Frame], str]) -> Bent:
    """SESSION_KEY is answered as `said` has it: "ACK", an ERROR code, or "" as the server does."""

    def up(link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == PROOF:
            link.notes["first"] = frame["payload"].get("session")
        if frame["type"] != RENEWAL:
            return [frame]
        link.notes["told"] = link.notes.get("told", 0) + 1
        answer = said(link, frame)
        if not answer:
            return [frame]
        if answer == "ACK":
            link.later.append(link.says("ACK", msg_ref=RENEWAL))
        else:
            link.later.append(link.says("ERROR", code=answer, detail="another session key"))
        return []

    return Bent(said.__name__.replace("_", " "), up=up)


def does_not_ack_renewals(_link: Through, frame: Frame) -> list[Frame]:
    return [] if frame["payload"].get("msg_ref") == RENEWAL else [frame]


def is_by_first(link: Through, frame: Frame) -> bool:
    first = own_session(link, link.notes["first"])
    return first is not None and first.signed(frames.Frame("", frame))


def stays_with_the_first(link: Through, frame: Frame) -> str:
    return "" if is_by_first(link, frame) else "INVALID_SIG"


def forgets_the_former(link: Through, frame: Frame) -> str:
    return "INVALID_SIG" if link.notes["told"] == 2 and is_by_first(link, frame) else ""


def keeps_them_all(link: Through, _frame: Frame) -> str:
    return "ACK" if link.notes["told"] == 3 else ""


def takes_older_ones(link: Through, frame: Frame) -> str:
    first = link.notes["first"]
    return "ACK" if first and times(frame)[0] < first["from_ts"] else ""


def takes_anybodys(link: Through, frame: Frame) -> str:
    return "ACK" if is_foreign(link, frame) else ""


def takes_it_anywhere(link: Through, _frame: Frame) -> str:
    return "" if link.notes["first"] else "ACK"


# --- frames -------------------------------------------------------------------------------------


def if_fast(hook: Hook) -> Hook:
    """What becomes of what a session key signed."""
    return lambda link, frame: hook(link, frame) if frame["sig"].startswith(ED) else [frame]


def lists_all_the_same(link: Through, _frame: Frame) -> list[Frame]:
    link.later.append(link.says("USER_LIST", users=[]))
    return []


def believes_acks(*, agreed: bool) -> Hook:
    """Any ACK is believed, on links that agreed or on the others: the author hears of it."""
    authors: list[Through] = []

    def up(link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == "MSG_DIRECT":
            authors.append(link)
        if frame["type"] == PROOF:
            link.notes["agreed"] = "session" in frame["payload"]
        fast = frame["type"] == "ACK" and frame["sig"].startswith(ED)
        if fast and link.notes["agreed"] is agreed:
            ref = frame["payload"]["msg_ref"]
            authors[-1].push(authors[-1].says("ACK", msg_ref=ref, status="delivered"))
        return [frame]

    return up


def delivers_what_is_bound(*, to_all: bool) -> Bent:
    """A SERVER_DELIVER by a session key is delivered that is bound to all, or to another server."""
    guests: dict[str, Through] = {}

    def up(link: Through, frame: Frame) -> list[Frame]:
        guests[link.first["from"]] = link
        fast = frame["type"] == DELIVERY and frame["sig"].startswith(ED)
        elsewhere = frame["to"] != link.notes.get("server") and (frame["to"] == "*") is to_all
        if not fast or not elsewhere:
            return [frame]
        said: dict[str, Any] = frame["payload"]
        names = ("ciphertext", "sender", "sender_pub", "content_sig")
        reader = guests[said["user_id"]]
        delivery = reader.says("USER_DELIVER", **{name: said[name] for name in names})
        reader.push({**delivery, "ts": frame["ts"]})
        raw = unb64(said["ciphertext"])
        ref = preimages.msg_ref(raw, said["sender"], said["user_id"], frame["ts"])
        link.later.append(link.says("ACK", msg_ref=ref))
        return []

    def down(link: Through, frame: Frame) -> list[Frame]:
        link.notes.setdefault("server", frame["from"])
        return [frame]

    return Bent(f"bound to {'all' if to_all else 'another'}", up=up, down=down)


CERTIFICATES = (
    Case(
        Bent("certifies nothing", down=only("ACK", stating(certifies_nothing))),
        "11.180-certificate",
        ("11.18[0-2]-*",),
    ),
    Case(
        Bent("two days", down=only("ACK", stating(certifies_two_days))),
        "11.181-certificate-day",
        ("11.18[0-2]-*",),
    ),
    Case(
        Bent("forges its answer", down=only("ACK", stating(forges))),
        "11.182-certificate-own-sig",
        ("11.18[0-2]-*",),
    ),
    Case(
        Bent("welcomes without", down=only("SERVER_WELCOME", resigned(session=None))),
        "11.183-certificate-to-server",
        ("11.18[03]-*",),
    ),
    *(
        Case(
            Bent(f"states without {feature}", down=only("ACK", states_to_who_lacks(feature))),
            breaks,
            (
                "11.180-*",
                breaks,
            ),
        )
        for feature, breaks in (
            ("link-auth/1", "11.184-not-unproven"),
            ("bind/1", "11.185-not-unbound"),
            ("fast-sig/1", "11.186-not-unannounced"),
        )
    ),
)
PROOFS = tuple(
    Case(Bent(name, up=takes(is_taken)), breaks, (breaks, other))
    for name, is_taken, breaks, other in (
        ("foreign key", is_foreign, "11.190-session-of-another-key", "11.192-*"),
        ("foreign id", is_foreign, "11.191-session-of-another-id", "11.192-*"),
        ("long session", is_long, "11.192-session-too-long", "11.193-*"),
        ("expired session", is_over, "11.193-session-expired", "11.194-*"),
        ("early session", is_to_come, "11.194-session-not-yet", "11.192-*"),
        ("unsigned session", is_unsigned, "11.195-session-needs-sig", "11.190-*"),
    )
)
RENEWALS = (
    Case(
        Bent("no ack", down=only("ACK", does_not_ack_renewals)),
        "11.200-renewed",
        ("11.20[0-3]-*",),
    ),
    Case(renewing(stays_with_the_first), "11.201-new-counts", ("11.20[0-2]-*",)),
    Case(renewing(forgets_the_former), "11.202-former-counts", ("11.20[0-3]-*",)),
    Case(renewing(keeps_them_all), "11.203-two-before-is-over", ("11.20[0-3]-*",)),
    Case(renewing(takes_older_ones), "11.204-not-newer", ("11.20[045]-*",)),
    Case(renewing(takes_anybodys), "11.205-next-of-another-key", ("11.20[45]-*",)),
    Case(renewing(takes_it_anywhere), "11.206-next-where-none", ("11.20[46]-*",)),
)
SIGNED = (
    Case(
        Bent("forges lists", down=only("USER_LIST", if_fast(forges))),
        "11.210-answers-signed",
        ("11.21[01]-*",),
    ),
    Case(
        Bent("forges deliveries", down=only("USER_DELIVER", if_fast(forges))),
        "11.211-delivery-signed",
        ("11.21[01]-*",),
    ),
    Case(
        Bent("rsa alone", down=if_fast(resigned())),
        "11.211-delivery-signed",
        ("11.211-*",),
        Verdict.PASS,
    ),
    Case(
        Bent("forges abroad", down=only(DELIVERY, if_fast(forges))),
        "11.212-server-delivery-signed",
        ("11.21[02]-*",),
    ),
    Case(
        Bent("fast presence", down=only("USER_REMOVE", forges)),
        "11.213-presence-own-key",
        ("11.21[03]-*",),
    ),
    Case(
        Bent("fast shares", down=only("PUBLIC_CHANNEL_UPDATED", forges)),
        "11.214-share-own-key",
        ("11.21[04]-*",),
    ),
)
TAKEN = (
    Case(Bent("no fast ack", up=only("ACK", if_fast(lost))), "11.220-ack-taken", ("11.22[02]-*",)),
    Case(
        Bent("no fast delivery", up=only(DELIVERY, if_fast(lost))),
        "11.221-delivery-taken",
        ("11.22[1267]-*",),
    ),
    Case(
        Bent("no fast message", up=only("MSG_DIRECT", if_fast(lost))),
        "11.222-message-taken",
        ("11.22[02]-*",),
    ),
    Case(
        Bent("fast question", up=only("LIST_REQUEST", if_fast(lists_all_the_same))),
        "11.223-question-refused",
        ("11.22[023]-*",),
    ),
    Case(
        Bent("unagreed ack", up=believes_acks(agreed=False)),
        "11.224-unagreed-ack",
        ("11.22[045]-*",),
    ),
    Case(
        Bent("any session key", up=believes_acks(agreed=True)),
        "11.225-another-session-key",
        ("11.22[045]-*",),
    ),
    Case(
        delivers_what_is_bound(to_all=True),
        "11.226-bound-to-everybody",
        ("11.22[167]-*",),
    ),
    Case(
        delivers_what_is_bound(to_all=False),
        "11.227-bound-to-another",
        ("11.22[167]-*",),
    ),
)
FAST = (*CERTIFICATES, *PROOFS, *RENEWALS, *SIGNED, *TAKEN)
