"""How each bent server is bent, and the rule that it breaks."""

from __future__ import annotations

import json

from socp.conform.canonical import canonical, raw_utf8
from socp.conform.frames import now_ms
from socp.conform.verdicts import Verdict
from tests.conform.bent import Bent, Case, Frame, Hook, Through, only
from tests.conform.extended_cases import EXTENDED
from tests.conform.fast_cases import FAST
from tests.conform.gossip_cases import GOSSIP
from tests.conform.release_cases import RELEASED

MINUTES_MS = 60_000


# --- how each of them is bent -------------------------------------------------------------------


def signs_its_envelope(link: Through, frame: Frame) -> list[Frame]:
    if not frame["sig"] or frame["from"] == frame["payload"].get("user_id"):
        return [frame]
    unsigned = {name: value for name, value in frame.items() if name != "sig"}
    return [{**frame, "sig": link.key.sign(canonical(unsigned))}]


def signs_with_spaces(link: Through, frame: Frame) -> list[Frame]:
    text = json.dumps(frame["payload"], sort_keys=True).encode()
    return [{**frame, "sig": link.key.sign(text)}]


def signs_raw_utf8(link: Through, frame: Frame) -> list[Frame]:
    return [{**frame, "sig": link.key.sign(raw_utf8(frame["payload"]))}]


def acks_without_ref(link: Through, frame: Frame) -> list[Frame]:
    delivered = frame["type"] == "ACK" and frame["payload"].get("status") == "delivered"
    return [link.signed(frame, msg_ref="")] if delivered else [frame]


def is_silent_about_bad_sigs(link: Through, frame: Frame) -> list[Frame]:
    silent = frame["payload"].get("code") == "INVALID_SIG" and link.last.get("sig")
    return [] if silent and link.last["type"] == "PUBKEY_REQUEST" else [frame]


def takes_links_unsigned(link: Through, frame: Frame) -> list[Frame]:
    if frame["payload"].get("code") == "INVALID_SIG" and link.last["type"] == "SERVER_HELLO_LINK":
        return [link.signed({**frame, "type": "ACK"}, code=None, detail=None)]
    return [frame]


def remembers_last(link: Through, frame: Frame) -> list[Frame]:
    link.last = frame
    return [frame]


def signs_by_another_key(kind: str) -> Hook:
    """Frames of this type carry the sig of something else."""
    return only(kind, lambda link, frame: [{**frame, "sig": link.key.sign(b"another")}])


def takes_old_messages(_link: Through, frame: Frame) -> list[Frame]:
    late_ms = now_ms() - frame["ts"]
    if frame["type"] == "MSG_DIRECT" and 5 * MINUTES_MS < late_ms < 10 * MINUTES_MS:
        return [{**frame, "ts": now_ms()}]
    return [frame]


def delivers_twice(_link: Through, frame: Frame) -> list[Frame]:
    return [frame, frame] if frame["type"] == "USER_DELIVER" else [frame]


def echoes_presence(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] == "USER_ADVERTISE" and not link.is_user:
        link.later.append(frame)
    return [frame]


def takes_any_from(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] == "MSG_DIRECT" and link.is_user:
        return [{**frame, "from": link.first["from"]}]
    return [frame]


def has_no_heartbeat(_link: Through, frame: Frame) -> list[Frame]:
    return [] if frame["type"] == "HEARTBEAT" else [frame]


def assigns_another_id(link: Through, frame: Frame) -> list[Frame]:
    other = "0b5f7e22-94c8-4a7c-9a3b-1f2e3d4c5b6a"
    welcome = frame["type"] == "SERVER_WELCOME"
    return [link.signed(frame, assigned_id=other)] if welcome else [frame]


def closes_on_unknown_types(link: Through, frame: Frame) -> list[Frame]:
    link.closing = frame["payload"].get("code") == "UNKNOWN_TYPE"
    return [frame]


def answers_errors(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] == "ERROR":
        link.later.append(link.says("ERROR", code="BAD_FRAME", detail="what was that"))
    return [frame]


def takes_weak_keys(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] != "USER_HELLO" or not 300 < len(frame["payload"]["pubkey"]) < 500:
        return [frame]
    link.later.append(link.says("ACK", msg_ref="USER_HELLO"))
    return []


def posts_come_back(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] == "MSG_PUBLIC_CHANNEL" and link.is_user:
        link.later.append(frame)
    return [frame]


def loses_the_ts(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] != "USER_DELIVER":
        return [frame]
    return [{**frame, "ts": now_ms() + 1}]


def lists_unsorted(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] != "USER_LIST":
        return [frame]
    return [link.signed(frame, users=sorted(frame["payload"]["users"], reverse=True))]


def has_no_own_proof(link: Through, frame: Frame) -> list[Frame]:
    proves = frame["type"] == "ACK" and "proof" in frame["payload"]
    return [link.signed(frame, proof=link.key.sign(b"x"))] if proves else [frame]


def loses_chunks(_link: Through, frame: Frame) -> list[Frame]:
    return [] if frame["type"] == "FILE_CHUNK" else [frame]


# --- dialects -----------------------------------------------------------------------------------


def answers_with_list_response(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] != "USER_LIST":
        return [frame]
    members = {"users": None, "online_users": frame["payload"]["users"]}
    return [{**link.signed(frame, **members), "type": "LIST_RESPONSE"}]


def says_server_pub(link: Through, frame: Frame) -> list[Frame]:
    if frame["payload"].get("msg_ref") != "USER_HELLO":
        return [frame]
    return [link.signed(frame, pubkey=None, server_pub=frame["payload"]["pubkey"])]


def pads_its_key(link: Through, frame: Frame) -> list[Frame]:
    if frame["payload"].get("msg_ref") != "USER_HELLO":
        return [frame]
    return [link.signed(frame, pubkey=frame["payload"]["pubkey"] + "==")]


def uses_short_salts(link: Through, frame: Frame) -> list[Frame]:
    sig = link.key.sign(canonical(frame["payload"]), salt_bytes=32)
    return [{**frame, "sig": sig}] if frame["sig"] else [frame]


def acks_hello_ok(link: Through, frame: Frame) -> list[Frame]:
    greets = frame["payload"].get("msg_ref") == "USER_HELLO"
    return [link.signed(frame, msg_ref="USER_HELLO_OK")] if greets else [frame]


def lists_servers_as_clients(link: Through, frame: Frame) -> list[Frame]:
    if frame["type"] != "SERVER_WELCOME":
        return [frame]
    said = frame["payload"]
    return [link.signed(frame, clients=[*said["clients"], *said["servers"]], servers=None)]


# --- what the referee must say of them ----------------------------------------------------------


CASES = (
    Case(Bent("no beat", down=has_no_heartbeat), "5.60-heartbeat", ("5.60-*",), patient=True),
    Case(Bent("envelope", down=signs_its_envelope), "3.3-sig-covers-payload", ("3.*", "5.16-*")),
    Case(Bent("spaces", down=signs_with_spaces), "3.4-canonical-form", ("3.?-*", "6.2*")),
    Case(Bent("utf8", down=signs_raw_utf8), "3.5-canonical-escapes", ("3.?-*",), Verdict.DIFFERS),
    Case(Bent("no ref", down=acks_without_ref), "9.2-msg-ref", ("6.2*", "9.*")),
    Case(
        Bent("silent", up=remembers_last, down=is_silent_about_bad_sigs),
        "2.51-server-sig",
        ("2.5*", "5.[1-2]*"),
    ),
    Case(
        Bent("unsigned link", up=remembers_last, down=takes_links_unsigned),
        "2.53-link-own-key",
        ("2.5*", "5.?-*"),
    ),
    Case(
        Bent("delivery sig", down=signs_by_another_key("USER_DELIVER")),
        "6.26-deliver-signed",
        ("3.3-*", "6.2*"),
    ),
    Case(
        Bent("file sig", down=signs_by_another_key("FILE_START")),
        "8.4-start-signed",
        ("3.3-*", "8.?-*"),
    ),
    Case(
        Bent("welcome sig", down=signs_by_another_key("SERVER_WELCOME")),
        "5.6-welcome-signed",
        ("3.3-*", "5.?-*"),
    ),
    Case(
        Bent("error sig", down=signs_by_another_key("ERROR")),
        "9.14-error-signed",
        ("3.3-*", "9.*"),
    ),
    Case(Bent("stale", up=takes_old_messages), "2.40-stale-ts", ("2.4*", "6.2*")),
    Case(Bent("twice", down=delivers_twice), "6.29-delivered-once", ("6.*",)),
    Case(Bent("echo", up=echoes_presence), "5.22-not-to-its-source", ("5.2*", "5.3*")),
    Case(Bent("any from", up=takes_any_from), "6.40-forged-from", ("6.*",)),
    Case(Bent("other id", down=assigns_another_id), "5.2-assigned-id", ("5.?-*", "5.2*")),
    Case(Bent("closes", down=closes_on_unknown_types), "2.7-unknown-type-stays", ("2.*",)),
    Case(Bent("answers", up=answers_errors), "2.8-error-unanswered", ("2.?-*", "2.1*")),
    Case(Bent("weak", up=takes_weak_keys), "3.10-rsa-2048", ("3.1*", "4.*")),
    Case(Bent("posts", up=posts_come_back), "7.12-post-not-back", ("7.*",)),
    Case(Bent("ts", down=loses_the_ts), "6.22-authors-ts", ("6.2*",), Verdict.DIFFERS),
    Case(Bent("unsorted", down=lists_unsorted), "6.52-list-sorted", ("6.5*", "13.*")),
    Case(Bent("no proof", down=has_no_own_proof), "11.3-own-proof", ("11.?-*", "11.1?-*")),
    Case(
        Bent("list response", down=answers_with_list_response),
        "6.50-list",
        ("6.5*", "13.*"),
        Verdict.DIFFERS,
    ),
    Case(Bent("server pub", down=says_server_pub), "6.3-ack-pubkey", ("6.?-*",), Verdict.DIFFERS),
    Case(Bent("padded", down=pads_its_key), "3.2-server-key-text", ("3.?-*",), Verdict.DIFFERS),
    Case(Bent("salt", down=uses_short_salts), "3.6-salt", ("3.?-*",), Verdict.DIFFERS),
    Case(Bent("hello ok", down=acks_hello_ok), "6.1-hello-ack", ("6.?-*",), Verdict.DIFFERS),
    Case(
        Bent("as clients", down=lists_servers_as_clients),
        "5.4-welcome-servers",
        ("5.?-*",),
        Verdict.DIFFERS,
    ),
    Case(Bent("chunks", down=loses_chunks), "11.50-file-kept", ("11.4?-*", "11.5?-*")),
    *GOSSIP,
    *EXTENDED,
    *FAST,
    *RELEASED,
)
