"""Servers that break one rule each of presence/1, and of what hybrid/1 needs of them."""

from __future__ import annotations

from typing import Any

from socp.conform.canonical import b64, unb64
from socp.conform.figures import LIST_PAGE, RSA_BYTES, WATCHED
from tests.conform.bent import Bent, Case, Frame, Hook, Through, lost, only, resigned

WATCH, LIST = "PRESENCE_WATCH", "LIST_REQUEST"
ADVERT, REMOVE = "USER_ADVERTISE", "USER_REMOVE"
PLENTY = 1_000


def unsigned(frame: Frame, **payload: Any) -> list[Frame]:
    """A plain user, who need not sign, says something else."""
    return [{**frame, "payload": {**frame["payload"], **payload}, "sig": ""}]


# --- presence/1 ---------------------------------------------------------------------------------


def watches(link: Through) -> bool:
    return "presence/1" in link.first["payload"].get("features", ())


def floods() -> Bent:
    """Who has presence/1 hears of others all the same."""
    adverts: list[Frame] = []

    def down(link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == ADVERT:
            adverts.append(frame)
        greeted = frame["payload"].get("msg_ref") == "USER_HELLO" and watches(link)
        return [frame, *adverts[-2:]] if greeted else [frame]

    return Bent("flood", down=down)


def answers_for_the_known(*, away: bool) -> Hook:
    """Somebody who is away is not answered for: who was here, or who never was."""
    known: set[str] = set()

    def down(link: Through, frame: Frame) -> list[Frame]:
        user_id = frame["payload"].get("user_id")
        if frame["type"] == ADVERT:
            known.add(user_id)
        missing = frame["type"] == REMOVE and watches(link) and (user_id in known) is away
        return [] if missing else [frame]

    return down


def answers_for_others() -> Bent:
    """It adds somebody who was not asked about."""
    adverts: dict[str, Frame] = {}

    def up(link: Through, frame: Frame) -> list[Frame]:
        asked = frame["payload"]["users"]
        link.later += [advert for user_id, advert in adverts.items() if user_id not in asked][:1]
        return [frame]

    def down(_link: Through, frame: Frame) -> list[Frame]:
        adverts[frame["payload"]["user_id"]] = frame
        return [frame]

    return Bent("others", up=only(WATCH, up), down=only(ADVERT, down))


def answers_once(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] not in (ADVERT, REMOVE) or not watches(link):
        return [frame]
    told: set[str] = link.notes.setdefault("told", set())
    user_id = frame["payload"]["user_id"]
    return [] if user_id in told else [told.add(user_id) or frame]  # type: ignore[func-returns-value]


def adds_to_its_list(link: Through, frame: Frame) -> list[Frame]:
    if not frame["payload"]["users"]:
        return [frame]
    watched = link.notes.setdefault("watched", {})
    watched.update(dict.fromkeys(frame["payload"]["users"]))
    return unsigned(frame, users=list(watched))


def never_ends_a_list(_link: Through, frame: Frame) -> list[Frame]:
    return [frame] if frame["payload"]["users"] else []


def keeps_lists() -> Bent:
    """Who comes back is told of whom they watched before."""
    lists: dict[str, Frame] = {}

    def up(_link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == WATCH:
            lists[frame["from"]] = frame
        again = frame["type"] == "USER_HELLO" and frame["from"] in lists
        return [frame, lists[frame["from"]]] if again else [frame]

    return Bent("keeps lists", up=up)


def takes_short_lists(link: Through, frame: Frame) -> list[Frame]:
    if len(frame["payload"]["users"]) <= 100:
        return [frame]
    link.later.append(link.says("ERROR", code="BAD_FRAME", detail="at most 100"))
    return unsigned(frame, users=frame["payload"]["users"][:100])


def takes_long_lists(_link: Through, frame: Frame) -> list[Frame]:
    return unsigned(frame, users=frame["payload"]["users"][:WATCHED])


def skips_bad_ids(_link: Through, frame: Frame) -> list[Frame]:
    return unsigned(frame, users=[user for user in frame["payload"]["users"] if len(user) == 36])


def unless_watching(link: Through, frame: Frame) -> list[Frame]:
    return [] if watches(link) else [frame]


def if_watching(link: Through, frame: Frame) -> list[Frame]:
    return [frame] if watches(link) else []


def ignores_limit(_link: Through, frame: Frame) -> list[Frame]:
    limit = frame["payload"].get("limit", 0)
    return unsigned(frame, limit=PLENTY) if 1 <= limit < PLENTY else [frame]


def ignores_after(_link: Through, frame: Frame) -> list[Frame]:
    return unsigned(frame, after="") if "after" in frame["payload"] else [frame]


def takes_any_limit(_link: Through, frame: Frame) -> list[Frame]:
    limit = frame["payload"].get("limit")
    return [frame] if limit is None else unsigned(frame, limit=min(max(limit, 1), LIST_PAGE))


# --- hybrid/1 and content/1 ---------------------------------------------------------------------


def cuts_long_ciphertexts(link: Through, frame: Frame) -> list[Frame]:
    raw = unb64(frame["payload"]["ciphertext"])
    return [link.signed(frame, ciphertext=b64(raw[:-1]))] if len(raw) > RSA_BYTES else [frame]


def names_them_otherwise(link: Through, frame: Frame) -> list[Frame]:
    ref = frame["payload"]["msg_ref"]
    return [link.signed(frame, msg_ref=ref[::-1])] if len(ref) == 43 else [frame]


def drops_what_it_does_not_know(link: Through, frame: Frame) -> list[Frame]:
    features = frame["payload"].get("features", ())
    known = [each for each in features if each != "x-conform/1"]
    return [link.signed(frame, features=known)] if features else [frame]


PRESENCE = (
    Case(floods(), "11.110-no-flood", ("11.11[013]-*",)),
    Case(Bent("no watch", up=only(WATCH, lost)), "11.111-watch-online", ("11.11[0-2]-*",)),
    Case(
        Bent("not away", down=answers_for_the_known(away=True)),
        "11.112-watch-away",
        ("11.11[1-3]-*",),
    ),
    Case(
        Bent("not unknown", down=answers_for_the_known(away=False)),
        "11.113-watch-unknown",
        ("11.11[1-3]-*",),
    ),
    Case(answers_for_others(), "11.114-only-asked", ("11.11[134]-*",)),
    Case(Bent("answers once", down=answers_once), "11.115-change-told", ("11.11[135]-*",)),
    Case(
        Bent("adds", up=only(WATCH, adds_to_its_list)), "11.116-watch-replaces", ("11.11[678]-*",)
    ),
    Case(
        Bent("ends not", up=only(WATCH, never_ends_a_list)), "11.117-watch-ends", ("11.11[67]-*",)
    ),
    Case(keeps_lists(), "11.118-watch-ends-with-link", ("11.11[18]-*",)),
    Case(
        Bent("short", up=only(WATCH, takes_short_lists)),
        "11.119-watch-thousand",
        ("11.119-*", "11.12[01]-*"),
    ),
    Case(
        Bent("long", up=only(WATCH, takes_long_lists)),
        "11.120-watch-too-many",
        ("11.119-*", "11.12[01]-*"),
    ),
    Case(Bent("bad ids", up=only(WATCH, skips_bad_ids)), "11.121-watch-bad-id", ("11.12[01]-*",)),
    Case(
        Bent("silent, plain", up=only(WATCH, if_watching)),
        "11.122-watch-unannounced",
        ("11.111-*", "11.122-*"),
    ),
    Case(
        Bent("held back", down=only("USER_DELIVER", unless_watching)),
        "11.123-messages-unasked",
        ("11.12[23]-*",),
    ),
    Case(Bent("limit", up=only(LIST, ignores_limit)), "11.125-list-limit", ("11.12[57]-*",)),
    Case(Bent("after", up=only(LIST, ignores_after)), "11.126-list-after", ("11.12[67]-*",)),
    Case(
        Bent("any limit", up=only(LIST, takes_any_limit)),
        "11.127-list-limit-bounds",
        ("11.12[57]-*",),
    ),
)
SEALED = (
    Case(
        Bent("cuts", down=only("USER_DELIVER", cuts_long_ciphertexts)),
        "11.130-hybrid-carried",
        ("11.13[0-4]-*",),
    ),
    Case(
        Bent("ref", down=only("ACK", names_them_otherwise)), "11.131-hybrid-ref", ("11.13[01]-*",)
    ),
    Case(
        Bent("cuts posts", down=only("MSG_PUBLIC_CHANNEL", cuts_long_ciphertexts)),
        "11.132-hybrid-post",
        ("11.13[02]-*",),
    ),
    Case(
        Bent("manifest", down=only("FILE_START", resigned(chunk_hashes=None))),
        "11.133-hybrid-manifest",
        ("11.13[34]-*",),
    ),
    Case(
        Bent("cuts chunks", down=only("FILE_CHUNK", cuts_long_ciphertexts)),
        "11.134-hybrid-chunk",
        ("11.13[34]-*",),
    ),
    Case(
        Bent("features", down=only(ADVERT, drops_what_it_does_not_know)),
        "11.135-features-kept",
        ("11.13[56]-*",),
    ),
    Case(
        Bent("no features", down=only("PUBKEY_RESPONSE", resigned(attach=None, features=None))),
        "11.136-features-looked-up",
        ("11.13[56]-*",),
    ),
)
EXTENDED = (*PRESENCE, *SEALED)
