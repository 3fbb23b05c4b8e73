"""Servers that break one rule each: the referee fails that rule, names it, and fails no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from socp.conform.canonical import canonical, raw_utf8
from socp.conform.frames import now_ms
from socp.conform.keys import PrivateKey
from socp.conform.results import Report
from socp.conform.verdicts import Level, Verdict
from tests.conform.bent import Bent, Frame, Through, behind_proxy
from tests.conform.stage import failed, judge, named, told
from tests.mesh.launch import running

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


def remembers_last(link: Through, frame: Frame) -> list[Frame]:
    link.last = frame
    return [frame]


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


# --- what the referee must say of them ----------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One of them, and the sections that are judged; `level` of the rule that it breaks."""

    bent: Bent
    breaks: str
    sections: tuple[str, ...]
    verdict: Verdict = Verdict.FAIL
    patient: bool = False


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
    Case(Bent("no proof", down=has_no_own_proof), "11.3-own-proof", ("11.?-*", "11.1*")),
    Case(Bent("chunks", down=loses_chunks), "11.50-file-kept", ("11.4*", "11.5*")),
)
AT_ONCE = 4  # beside the first, which waits


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Report]]:
    """All of them, judged at once."""
    folder = tmp_path_factory.mktemp("bent")
    with running(folder, "--federation", "open", "--bootstrap", "none") as server:
        pem = (folder / "data" / "server_key.pem").read_bytes()
        key = load_pem_private_key(pem, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        yield asyncio.run(_judged(server.url, PrivateKey(key)))


async def _judged(url: str, key: PrivateKey) -> dict[str, Report]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, case: Case) -> Report:
        async with turns, behind_proxy(url, case.bent, key) as bent_url:
            quick = not case.patient
            return await judge(bent_url, *case.sections, quick=quick, first_key=5 * number)

    made = await asyncio.gather(*(one(n, case) for n, case in enumerate(CASES)))
    return {case.bent.name: report for case, report in zip(CASES, made, strict=True)}


@pytest.mark.parametrize("case", CASES, ids=[case.bent.name for case in CASES])
def test_a_server_that_breaks_one_rule_fails_that_rule(
    reports: dict[str, Report], case: Case
) -> None:
    report = reports[case.bent.name]
    assert named(report, case.verdict) == [case.breaks], told(report)
    others = {Verdict.FAIL, Verdict.DIFFERS} - {case.verdict}
    assert not [rule for each in others for rule in named(report, each)], told(report)


def test_the_report_says_what_came_and_what_to_change(reports: dict[str, Report]) -> None:
    report = reports["any from"]
    [result] = [each for each in report.results if each.verdict is Verdict.FAIL]
    assert result.why == "it was delivered"
    assert result.rule.remedy == "from must be the user of the link"
    assert any(line.startswith("> alice:") and "MSG_DIRECT" in line for line in result.lines)
    assert any(line.startswith("< bob:") and "USER_DELIVER" in line for line in result.lines)


def test_only_a_broken_must_breaks_the_whole(reports: dict[str, Report]) -> None:
    for case in CASES:
        report = reports[case.bent.name]
        musts = [r for r in report.results if r.rule.level is Level.MUST]
        broken = any(result.verdict is Verdict.FAIL for result in musts)
        assert report.holds is not broken
    assert reports["unsorted"].holds
    assert not reports["stale"].holds
    assert failed(reports["stale"]) == ["2.40-stale-ts"]
