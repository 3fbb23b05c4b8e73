"""Servers that break one rule of gossip/1 each."""

from __future__ import annotations

from socp.conform.canonical import b64, unb64
from tests.conform.bent import Bent, Case, Frame, Through, lost, only, resigned

BEAT, SYNC = "HEARTBEAT", "PRESENCE_SYNC"
ADVERT, REMOVE = "USER_ADVERTISE", "USER_REMOVE"


def has_another_digest(link: Through, frame: Frame) -> list[Frame]:
    users = frame["payload"].get("users")
    if users is None:
        return [frame]
    digest = bytearray(unb64(users["digest"]))
    digest[0] ^= 1
    return [link.signed(frame, users={**users, "digest": b64(bytes(digest))})]


def counts_one_more(link: Through, frame: Frame) -> list[Frame]:
    users = frame["payload"].get("users")
    return [link.signed(frame, users={**users, "count": users["count"] + 1})] if users else [frame]


def keeps_its_first_digest(link: Through, frame: Frame) -> list[Frame]:
    users = link.notes.setdefault("users", frame["payload"].get("users"))
    return [link.signed(frame, users=users)] if users else [frame]


def beats_too_early(link: Through, frame: Frame) -> list[Frame]:
    """HEARTBEAT overtakes the presence that went before it."""
    if link.is_user or frame["type"] not in (ADVERT, BEAT):
        return [frame]
    held: list[Frame] = link.notes.setdefault("held", [])
    held.append(frame)
    if frame["type"] == ADVERT:
        return []
    said, held[:] = held[::-1], []
    return said


def tells_plain_servers_too(link: Through, frame: Frame) -> list[Frame]:
    plain = "gossip/1" not in link.first["payload"].get("features", ())
    return [link.signed(frame, links=[], users={"count": 0, "digest": ""})] if plain else [frame]


def tells_its_links_once(link: Through, frame: Frame) -> list[Frame]:
    told, link.notes["told"] = link.notes.get("told"), True
    return [link.signed(frame, links=None)] if told else [frame]


def hears_no_links(_link: Through, frame: Frame) -> list[Frame]:
    return [] if "links" in frame["payload"] else [frame]


def hears_no_end_of_links(_link: Through, frame: Frame) -> list[Frame]:
    return [] if frame["payload"].get("links") == [] else [frame]


def forwards_to_no_gossiper(link: Through, frame: Frame) -> list[Frame]:
    gossips = "gossip/1" in link.first["payload"].get("features", ())
    return [] if gossips else [frame]


def answers_every_sync() -> Bent:
    """Asked too often, it says its HEARTBEAT once more."""
    beats: list[Frame] = []

    def down(_link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == BEAT:
            beats.append(frame)
        return [beats[-1]] if frame["payload"].get("code") == "RATE_LIMITED" else [frame]

    return Bent("any syncs", down=down)


def asks_at_each_beat(link: Through, frame: Frame) -> list[Frame]:
    link.later.append(link.says(SYNC))
    return [frame]


def believes_old_beats(link: Through, frame: Frame) -> list[Frame]:
    if frame["ts"] < link.notes.get("ts", 0):
        link.later.append(link.says(SYNC))
    link.notes["ts"] = frame["ts"]
    return [frame]


def forwards_no_answers() -> Bent:
    """Its users do not hear what comes by its own question."""
    asked = set()

    def down(link: Through, frame: Frame) -> list[Frame]:
        if frame["type"] == SYNC:
            asked.add(link.first["from"])
        heals = frame["type"] == ADVERT and frame["from"] in asked
        return [] if link.is_user and heals else [frame]

    return Bent("keeps answers", down=down)


def heals_no_removal(_link: Through, frame: Frame) -> list[Frame]:
    return [] if frame["from"] != frame["payload"].get("server_id") else [frame]


def removes_by_half() -> Bent:
    """At the HEARTBEAT behind its question whoever was not named again is gone."""
    users: list[Through] = []
    gone: list[str] = []

    def up(link: Through, frame: Frame) -> list[Frame]:
        if link.is_user and link not in users:
            users.append(link)
        if not link.is_user and frame["type"] == ADVERT:
            gone.append(frame["payload"]["user_id"])
        if frame["type"] == BEAT and link.notes.get("asked"):
            for user in users:
                for user_id in gone:
                    user.push(user.says(REMOVE, user_id=user_id, server_id=frame["from"]))
        return [frame]

    def down(link: Through, frame: Frame) -> list[Frame]:
        link.notes["asked"] = frame["type"] == SYNC or link.notes.get("asked")
        return [frame]

    return Bent("by half", up=up, down=down)


GOSSIP = (
    Case(Bent("digest", down=only(BEAT, has_another_digest)), "11.81-digest", ("11.8[0124]-*",)),
    Case(Bent("count", down=only(BEAT, counts_one_more)), "11.82-count", ("11.8[0124]-*",)),
    Case(
        Bent("first digest", down=only(BEAT, keeps_its_first_digest)),
        "11.83-digest-moves",
        ("11.8[0-3]-*",),
        patient=True,
    ),
    Case(Bent("early", down=beats_too_early), "11.84-snapshot-ends-with-beat", ("11.8[047]-*",)),
    Case(
        Bent("no bind", down=only(BEAT, resigned(bind=None))),
        "11.85-beat-bound",
        ("11.8[05]-*",),
        patient=True,
    ),
    Case(
        Bent("tells all", down=only(BEAT, tells_plain_servers_too)),
        "11.86-plain-beat",
        ("11.8[06]-*", "5.60-*"),
        patient=True,
    ),
    Case(
        Bent("links", down=only(BEAT, resigned(links=None))), "11.87-links-told", ("11.8[0178]*",)
    ),
    Case(
        Bent("once", down=only(BEAT, tells_its_links_once)), "11.88-lost-link-told", ("11.8[78]*",)
    ),
    Case(
        Bent("once, later", down=only(BEAT, tells_its_links_once)),
        "11.89-new-link-told",
        ("11.8[79]*",),
        patient=True,
    ),
    Case(Bent("deaf", up=only(BEAT, hears_no_links)), "11.90-not-told-twice", ("11.9[01]-*",)),
    Case(
        Bent("forwards not", down=only(ADVERT, forwards_to_no_gossiper)),
        "11.91-told-until-linked",
        ("11.9[01]-*",),
    ),
    Case(
        Bent("no end", up=only(BEAT, hears_no_end_of_links)), "11.92-told-again", ("11.9[0-2]-*",)
    ),
    Case(Bent("no answer", up=only(SYNC, lost)), "11.93-sync-answered", ("11.9[345]-*",)),
    Case(answers_every_sync(), "11.94-sync-rationed", ("11.9[34]-*",)),
    Case(Bent("asks not", down=only(SYNC, lost)), "11.95-asks", ("11.9[58]-*", "11.100-*")),
    Case(Bent("asks", up=only(BEAT, asks_at_each_beat)), "11.96-does-not-ask", ("11.9[56]-*",)),
    Case(Bent("old", up=only(BEAT, believes_old_beats)), "11.97-old-beat", ("11.9[67]-*",)),
    Case(forwards_no_answers(), "11.98-lost-advertise-heals", ("11.9[578]-*",)),
    Case(
        Bent("heals not", down=only(REMOVE, heals_no_removal)),
        "11.99-lost-remove-heals",
        ("11.9[89]-*",),
    ),
    Case(removes_by_half(), "11.100-half-snapshot", ("11.95-*", "11.100-*")),
)
