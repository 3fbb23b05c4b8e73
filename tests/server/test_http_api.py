"""The API's door: what HTTP and JSON must look like before the brain hears of it (section 10)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from socp.crypto import signing
from socp.crypto.fields import NONCE_BYTES
from socp.node import calls
from socp.node.effects import Effect, Persist, Told
from socp.node.events import Called, Event
from socp.node.records import LoginRemoved
from socp.server.http_api import document
from socp.server.http_api.operations import OPERATIONS, find
from socp.wire import base64url, limits
from tests.server.rig import KEY, Brain, Disk, Shell, running, until

USER = "11111111-1111-4111-8111-111111111111"
PATH = f"/api/v1/users/{USER}"
FOUND = calls.UserFound(USER, "MIIkey", "ab" * 32, 1, "Ann")
SAID = b"the directory's word"


def brain(event: Event) -> Sequence[Effect]:
    """One that knows one user."""
    if not isinstance(event, Called):
        return ()
    match event.call:
        case calls.FindUser(user_id=user_id) if user_id == USER:
            return [Told(event.request, FOUND, (("directory_sig", SAID),))]
        case calls.ListIds():
            return [Told(event.request, calls.IdsListed((USER,), more=False))]
        case calls.BeginLogin():
            return [Told(event.request, calls.Refused(calls.Why.LIMITED, "wait", 60))]
        case calls.RemovePassword():
            return [Persist(LoginRemoved(USER)), Told(event.request, calls.Done())]
        case calls.Register():
            return [Told(event.request, calls.Registered(USER, new=True))]
        case _:
            return [Told(event.request, calls.Refused(calls.Why.UNKNOWN, "nobody"))]


async def asked(
    shell: Shell, path: str, method: str = "GET", **options: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, members and headers."""
    async with shell.session.request(method, shell.url + path, **options) as response:
        assert response.headers["Content-Type"] == "application/json"
        return response.status, await response.json(), dict(response.headers)


def proof(nonce: str = "A" * 43, salt: str = "A" * 43, sig: str = "A" * 683) -> dict[str, str]:
    return {document.PROOF_HEADER: f"{nonce}.{salt}.{sig}"}


LOGIN = {"user_id": USER, "request": "A" * 128}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**LOGIN, "more": 1}, "more: unknown; leave it out"),
        ({"user_id": USER}, "request: missing"),
        ({**LOGIN, "user_id": 1}, "user_id: expected text, got a number"),
    ],
)
async def test_a_refused_body_is_told_which_member_and_why(
    tmp_path: Path, body: dict[str, object], said: str
) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        _, fault, _ = await asked(shell, "/api/v1/login/begin", "POST", json=body)
    assert fault["detail"] == f"{said}; see {document.PATH}"


@pytest.mark.threat("I8")
async def test_a_refusal_repeats_little_of_what_it_refuses_and_nothing_that_acts_on_a_terminal(
    tmp_path: Path,
) -> None:
    body = json.dumps({**LOGIN, "\x7f\x1b[2J" + "x" * 9_000: 1})
    async with running(tmp_path, Brain(brain)) as shell:
        status, fault, _ = await asked(
            shell, "/api/v1/login/begin", "POST", data=body, headers=JSON
        )
    assert (status, fault["code"]) == (422, calls.Why.UNFIT)
    assert fault["detail"].startswith("\u2421\u241b[2Jxxx")
    assert len(fault["detail"]) == limits.ERROR_DETAIL_CHARS


@pytest.mark.spec("10")
async def test_a_key_is_told_with_a_signature_of_the_server(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        status, user, _ = await asked(shell, PATH)
        assert (status, user["user_id"], user["version"]) == (200, USER, 1)
        assert signing.verify(KEY.public, user["directory_sig"], SAID)
        again = (await asked(shell, PATH))[1]
        assert again == user, "a signature once made serves whoever asks"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/v1/users/nobody", "GET", 404),
        (f"/api/v1/users/{USER.upper().replace('1', 'A')}", "GET", 404),
        ("/api/v1/users/99999999-9999-4999-8999-999999999999", "GET", 404),
        ("/api", "GET", 404),
        ("/api/v2/users", "GET", 404),
        ("/api/v1/users?limit=0", "GET", 422),
        ("/api/v1/users?limit=1&limit=2", "GET", 422),
        ("/api/v1/users?page=2", "GET", 422),
        (PATH + "?x=1", "GET", 422),
        (PATH, "PATCH", 405),
        (document.PATH, "POST", 405),
        ("/api/v1/users", "POST", 401),
        (PATH + "/login", "DELETE", 401),
    ],
)
async def test_what_is_asked_wrongly_has_its_own_status_and_says_what_to_do(
    tmp_path: Path, path: str, method: str, status: int
) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        found, fault, headers = await asked(shell, path, method)
        assert found == status
        assert set(fault) == {"code", "detail"}
        assert headers["Cache-Control"] == "no-store"
        assert ("Allow" in headers) == (status == 405)
        assert ("WWW-Authenticate" in headers) == (status == 401)


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b'{"user_id":1,"user_id":2}', JSON, 400),
        (b"[" * 1000, JSON, 400),
        (b"\xff", JSON, 400),
        (b"[]", JSON, 422),
        (json.dumps({**LOGIN, "more": 1}).encode(), JSON, 422),
        (json.dumps({**LOGIN, "request": "A" * 127}).encode(), JSON, 422),
        (json.dumps({**LOGIN, "user_id": USER + "\n"}).encode(), JSON, 422),
        (json.dumps(LOGIN).encode(), {"Content-Type": "text/plain"}, 415),
        (json.dumps(LOGIN).encode(), {"Content-Type": "application/json; charset=latin1"}, 415),
        (b" " * (limits.HTTP_BODY_BYTES + 1), JSON, 413),
        (json.dumps(LOGIN).encode(), JSON, 429),
    ],
)
async def test_a_body_is_strict_json_that_fits_its_schema(
    tmp_path: Path, data: bytes, headers: dict[str, str], status: int
) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        found, fault, _ = await asked(
            shell, "/api/v1/login/begin", "POST", data=data, headers=headers
        )
        assert (found, set(fault)) == (status, {"code", "detail"})
        assert bool(shell.brain.of(Called)) == (status == 429), "only what fits reaches the brain"


@pytest.mark.threat("S1")
async def test_a_body_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socp.server.http_api.api.BODY_S", 0.1)

    async def endless() -> Any:
        for _ in range(1000):
            yield b" " * 1000

    async def slow() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    async with running(tmp_path, Brain(brain)) as shell:
        for body, status in ((endless(), 413), (slow(), 408)):
            found, _, _ = await asked(shell, "/api/v1/login/begin", "POST", data=body, headers=JSON)
            assert found == status


@pytest.mark.threat("M11")
async def test_a_proof_reaches_the_brain_with_a_nonce_made_of_the_request(tmp_path: Path) -> None:
    body = json.dumps({"user_id": USER, "pubkey": "MIIkey"}).encode()
    async with running(tmp_path, Brain(brain)) as shell:
        status, _, headers = await asked(
            shell, "/api/v1/users", "POST", data=body, headers={**JSON, **proof()}
        )
        assert (status, headers["Cache-Control"]) == (201, "no-store")
        status, _, _ = await asked(shell, PATH + "/login", "DELETE", headers=proof())
        assert status == 200
        first, second = (called.call.proof for called in shell.brain.of(Called))
        salt = bytes(NONCE_BYTES)
        assert first.client_nonce == signing.request_nonce("POST", "/api/v1/users", salt, body)
        assert second.client_nonce == signing.request_nonce("DELETE", PATH + "/login", salt, b"")
        assert first.server_nonce == bytes(32)


@pytest.mark.parametrize("header", [proof("A"), proof(salt="A" * 42), proof("!" * 43), {}])
async def test_a_proof_that_is_none_is_401(tmp_path: Path, header: dict[str, str]) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        status, _, _ = await asked(shell, PATH + "/login", "DELETE", headers=header)
        assert (status, shell.brain.of(Called)) == (401, [])


@pytest.mark.threat("S3")
@pytest.mark.parametrize("store", ["A", "AAAAA", "AB", "AAB", "AA\n", "AA=", "A" * 6 + "="])
async def test_base64url_that_is_none_is_422_and_no_fault_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, store: str
) -> None:
    body = json.dumps({"record": "A" * 256, "privkey_store": store}).encode()
    async with running(tmp_path, Brain(brain)) as shell:
        status, fault, _ = await asked(
            shell, PATH + "/login", "PUT", data=body, headers={**JSON, **proof(sig="x")}
        )
        assert (status, fault["code"], shell.brain.of(Called)) == (422, calls.Why.UNFIT, [])
    assert "Traceback" not in caplog.text


@pytest.mark.threat("S8")
async def test_nothing_is_said_before_it_is_committed_and_a_failed_commit_is_503(
    tmp_path: Path,
) -> None:
    disk = Disk(at_once=False)
    async with running(tmp_path, Brain(brain), disk=disk) as shell:
        for fails in (False, True):
            asking = asyncio.create_task(asked(shell, PATH + "/login", "DELETE", headers=proof()))
            await until(lambda: disk.waiting)
            assert not asking.done()
            commit = disk.waiting.pop()
            if fails:
                commit.set_exception(OSError("the disk is full"))
            else:
                commit.set_result(None)
            status, fault, _ = await asking
            assert status == (503 if fails else 200)
        assert "the disk is full" in fault["detail"]


@pytest.mark.threat("S3")
async def test_an_address_may_ask_so_much_and_no_more(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(brain), proxies=["127.0.0.1"]) as shell:
        one, other = ({"X-Forwarded-For": f"203.0.113.{n}"} for n in (1, 2))
        for _ in range(limits.HTTP_REQUESTS_BURST):
            await asked(shell, PATH, headers=one)
        status, _, headers = await asked(shell, PATH, headers=one)
        assert (status, headers["Retry-After"]) == (429, "1")
        assert (await asked(shell, PATH, headers=other))[0] == 200
        assert (await asked(shell, PATH))[0] == 200, "not so on loopback"
        called = shell.brain.of(Called)
        assert {(each.address, each.loopback) for each in called} == {
            ("203.0.113.1", False),
            ("203.0.113.2", False),
            ("127.0.0.1", True),
        }


@pytest.mark.threat("P1")
@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_a_foreign_page_gets_nothing_of_the_api(
    tmp_path: Path, header: dict[str, str]
) -> None:
    async with (
        running(tmp_path, Brain(brain)) as shell,
        shell.session.get(shell.url + PATH, headers=header) as response,
    ):
        assert (response.status, shell.brain.of(Called)) == (403, [])


async def test_a_brain_that_does_not_answer_is_503(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.server.http_api.api.ANSWER_S", 0.1)
    async with running(tmp_path) as shell:
        assert (await asked(shell, PATH))[0] == 503


async def test_head_is_get_without_the_body(tmp_path: Path) -> None:
    async with (
        running(tmp_path, Brain(brain)) as shell,
        shell.session.head(shell.url + PATH) as response,
    ):
        assert (response.status, await response.read()) == (200, b"")


# --- the document ------------------------------------------------------------------------------


async def test_the_document_is_what_the_routes_are_made_from(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(brain)) as shell:
        status, said, _ = await asked(shell, document.PATH)
    assert (status, said["openapi"]) == (200, "3.1.0")
    described = {
        (path, method.upper()): item["operationId"]
        for path, methods in said["paths"].items()
        for method, item in methods.items()
    }
    assert described == {(each.path, each.method): each.name for each in OPERATIONS}
    for (path, method), name in described.items():
        found = find(method, path.replace("{user_id}", USER))
        assert not isinstance(found, frozenset)
        assert found[0].name == name


def test_a_path_means_one_operation_for_each_method() -> None:
    for each in OPERATIONS:
        path = each.path.replace("{user_id}", USER)
        fits = [o for o in OPERATIONS if o.method == each.method and o.pattern.fullmatch(path)]
        assert fits == [each]


def test_every_refusal_of_the_brain_has_its_status() -> None:
    from socp.server.http_api.api import STATUSES

    assert STATUSES.keys() == set(calls.Why)


@pytest.mark.parametrize("size", [16, 32, 64, 96, 192, 320])
def test_a_patterned_text_is_the_text_of_so_many_bytes(size: int) -> None:
    import re

    from socp.server.http_api.bodies import base64url as meta

    found = meta(size)
    assert found.pattern is not None
    pattern = re.compile(found.pattern)
    for byte in (b"\x00", b"\xff", b"\x5a"):
        assert pattern.fullmatch(base64url.encode(byte * size))
        assert not pattern.fullmatch(base64url.encode(byte * (size - 1)))
