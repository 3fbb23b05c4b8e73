"""Attaching to a server: hello, challenge, proof, clock (sections 2, 6, 11)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.member.effects import Online, Warned
from socp.member.events import Connected
from socp.member.member import Member
from socp.member.profile import Profile
from socp.member.records import KnownServer, LineState, Remembered
from socp.wire import base64url
from socp.wire.envelope import decode
from socp.wire.features import FAST_SIG, USER_FEATURES
from socp.wire.payloads import Attach
from tests.member.desk import ADDRESS, ME, NONCE, SERVER_NONCE, Desk, an_id

ANNOUNCED = (*USER_FEATURES, FAST_SIG)


@pytest.mark.spec("6")
def test_the_first_frame_is_a_signed_hello_with_key_features_and_name() -> None:
    desk = Desk()
    desk.connects()
    hello = desk.sent("USER_HELLO")[0]
    members = hello.members
    assert members["pubkey"] == members["enc_pubkey"] == desk.key.public.text
    assert members["features"] == list(ANNOUNCED)
    assert members["meta"] == {"display_name": "me"}
    assert members["auth_nonce"] == base64url.encode(NONCE)
    assert signing.verify_transport(desk.key.public, hello)


@pytest.mark.spec("11")
def test_a_challenge_is_answered_by_a_proof_and_a_signed_attach() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    proof = desk.sent("AUTH_PROOF")[0].members
    preimage = signing.link_auth(desk.id, desk.server_id, SERVER_NONCE)
    assert signing.verify(desk.key.public, str(proof["proof"]), preimage)
    stated = proof["attach"]
    assert isinstance(stated, dict)
    attach = Attach(ts=stated["ts"], sig=stated["sig"])
    held = signing.attach_holds(desk.key.public, desk.id, desk.server_id, attach, ANNOUNCED)
    assert held


@pytest.mark.spec("11")
def test_a_server_that_proves_its_key_is_pinned_with_what_it_proved() -> None:
    desk = Desk().attaches()
    online = desk.told(Online)[0]
    assert (online.proven, online.first_seen) == (True, True)
    assert online.fingerprint == desk.server_key.public.fingerprint
    assert desk.kept(KnownServer)[0].features == ("bind/1", "link-auth/1")


@pytest.mark.spec("11")
@pytest.mark.threat("I4")
def test_a_server_that_cannot_prove_its_key_is_left_and_not_tried_again() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(proof=False)
    assert not desk.member.attached
    assert desk.ended[0].retry is False
    assert "could not prove its key" in desk.warnings[0]


@pytest.mark.threat("I4")
def test_a_proof_by_another_key_than_the_challenge_named_does_not_count() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(key=desk.suite.generate())
    assert not desk.member.attached


@pytest.mark.threat("I4")
def test_a_known_server_id_with_another_key_is_refused_before_we_prove_anything() -> None:
    desk = Desk().attaches()
    desk.loses_the_link()
    desk.transmitted.clear()
    desk.connects()
    desk.is_challenged(key=desk.suite.generate())
    assert desk.sent("AUTH_PROOF") == []
    assert desk.ended[0].retry is False
    assert "another key" in desk.warnings[0]


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
def test_a_server_that_once_proved_itself_may_not_come_without_a_challenge() -> None:
    desk = Desk().attaches()
    desk.loses_the_link()
    desk.server_features = ()
    desk.connects()
    desk.is_welcomed(proof=False)
    assert not desk.member.attached
    assert "proved itself with bind/1, link-auth/1 before" in desk.warnings[-1]


@pytest.mark.threat("M9")
def test_a_server_that_once_had_bind_may_not_take_it_out_of_its_ack() -> None:
    desk = Desk().attaches()
    desk.loses_the_link()
    desk.connects()
    desk.is_challenged()
    desk.is_welcomed(features=("link-auth/1",))
    assert not desk.member.attached
    assert "bind/1" in desk.warnings[-1]


@pytest.mark.threat("M9")
def test_what_a_server_proved_is_remembered_over_a_restart() -> None:
    desk = Desk().attaches()
    desk.again(desk.store())
    desk.server_features = ()
    desk.connects()
    desk.is_welcomed(proof=False)
    assert not desk.member.attached


@pytest.mark.threat("M9")
def test_presence_alone_does_not_attach_us_where_a_server_proved_itself_before() -> None:
    desk = Desk().attaches()
    desk.loses_the_link()
    desk.connects()
    desk.friend("alice")
    desk.passes(4)
    assert not desk.member.attached


@pytest.mark.threat("I4")
def test_another_server_at_the_same_address_is_told_loudly() -> None:
    desk = Desk().attaches()
    desk.loses_the_link()
    desk.server_id, desk.server_key = an_id("another"), desk.suite.generate()
    desk.attaches()
    assert desk.member.attached
    assert "another server answers at ws://localhost:8001" in desk.warnings[0]


@pytest.mark.spec("13")
def test_a_plain_server_that_answers_ack_is_taken_as_unproven() -> None:
    desk = Desk(server_features=()).attaches()
    assert desk.told(Online)[0].proven is False
    assert desk.kept(KnownServer)[0].features == ()


@pytest.mark.spec("13")
@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ACK", {"msg_ref": "USER_HELLO_OK", "server_pub": "x"[:0]}),
        ("USER_WELCOME", {"server_id": "whatever"}),
        ("USER_LIST", {"users": []}),
    ],
)
def test_other_answers_to_a_hello_are_taken_too(kind: str, members: dict[str, object]) -> None:
    desk = Desk(server_features=())
    desk.connects()
    desk.hears(kind, members, signed=False)
    assert desk.member.attached


@pytest.mark.spec("13")
def test_a_server_that_answers_nothing_is_taken_after_three_seconds() -> None:
    desk = Desk(server_features=())
    desk.connects()
    desk.passes(2.9)
    assert not desk.member.attached
    desk.passes(0.3)
    assert desk.member.attached
    assert desk.told(Online)[0].server_id == ""


@pytest.mark.spec("11")
def test_a_server_that_challenges_and_then_says_nothing_is_left_and_tried_again() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged()
    desk.passes(16)
    assert [ended.retry for ended in desk.ended] == [True]


@pytest.mark.spec("9")
@pytest.mark.parametrize(
    ("code", "retry", "word"),
    [
        ("NAME_IN_USE", True, "attached on another link"),
        ("BAD_KEY", False, "with another key"),
        ("NOT_ALLOWED", False, "does not let this client in"),
        ("SOMETHING_NEW", True, "refused our hello"),
    ],
)
def test_an_error_on_our_hello_is_a_clear_sentence(code: str, retry: bool, word: str) -> None:
    desk = Desk()
    desk.connects()
    desk.hears("ERROR", {"code": code, "detail": "because"}, signed=False, bind=False)
    assert word in desk.ended[0].reason
    assert "because" in desk.ended[0].reason
    assert desk.ended[0].retry is retry


@pytest.mark.spec("2")
def test_a_clock_that_is_off_follows_the_servers_first_answer() -> None:
    desk = Desk()
    desk.connects()
    true_wall = desk.wall + 3_600_000
    desk.hears_again(desk.challenge(ts=true_wall))
    assert desk.member.clock_offset_ms == 3_600_000
    assert desk.sent("AUTH_PROOF")[0].ts == true_wall
    assert "clock is 3600 s behind" in desk.warnings[0]


@pytest.mark.spec("1")
def test_a_server_that_says_goodbye_at_once_did_not_take_our_hello() -> None:
    desk = Desk()
    desk.connects()
    desk.hears_again(decode(b'{"type":"CTRL_CLOSE"}'))
    assert not desk.member.attached
    assert desk.kept(KnownServer) == []


@pytest.mark.spec("2")
def test_a_clock_that_is_set_right_meanwhile_is_not_called_wrong() -> None:
    desk = Desk()
    desk.connects()
    desk.hears_again(desk.challenge(ts=desk.wall + 3_600_000))
    desk.loses_the_link()
    desk.wall += 3_600_000
    desk.connects()
    desk.hears_again(desk.challenge(ts=desk.wall))
    assert desk.member.clock_offset_ms == 0
    assert desk.warnings[-1] == "this machine's clock was set, and goes with the server's again"


@pytest.mark.threat("I3")
def test_an_attach_is_signed_for_another_time_only_once_a_server_has_signed_that_time() -> None:
    desk = Desk()
    desk.connects()
    noon = desk.wall + 3_600_000  # as the server has it: our clock is an hour behind
    desk.hears_again(desk.challenge(ts=noon))
    assert "attach" not in desk.sent("AUTH_PROOF")[0].members
    desk.hears_again(desk.welcome(ts=noon))
    assert not desk.member.attached
    assert desk.ended[0].retry is True
    desk.loses_the_link()
    desk.connects()
    desk.hears_again(desk.challenge(ts=noon))
    attach = desk.sent("AUTH_PROOF")[1].members["attach"]
    assert isinstance(attach, dict)
    assert attach["ts"] == noon


@pytest.mark.threat("S7")
@pytest.mark.parametrize("ts", [9_999_999_999_999, 2**53 - 1, 1])
def test_a_time_that_no_server_has_is_not_taken_for_ours(ts: int) -> None:
    desk = Desk(server_features=())
    desk.connects()
    desk.hears("ACK", {"msg_ref": "USER_HELLO"}, ts=ts, signed=False, bind=False)
    assert desk.member.clock_offset_ms == 0
    bob = desk.friend("bob")
    desk.passes(1)
    desk.says(bob, "hello")
    assert desk.sent("MSG_DIRECT")[0].ts == desk.wall


@pytest.mark.threat("S7")
@pytest.mark.parametrize("off", ["9999999999999.000 s behind", "9999999999999.000 s ahead"])
def test_a_clock_is_not_off_by_more_than_clocks_can_be(off: str) -> None:
    said = {"code": "BAD_FRAME", "detail": f"your clock is {off}"}
    desk = Desk()
    desk.connects()
    desk.hears("ERROR", said, signed=False, bind=False)
    assert desk.ended[0].retry is True
    desk.loses_the_link()
    desk.attaches()
    bob = desk.friend("bob")
    desk.says(bob, "hello")
    desk.hears("ERROR", {**said, "msg_ref": desk.ref(desk.sent("MSG_DIRECT")[0])})
    assert desk.member.clock_offset_ms == 0
    assert desk.line().state is LineState.REFUSED


@pytest.mark.spec("2")
def test_a_clock_that_is_a_little_off_is_left_alone() -> None:
    desk = Desk()
    desk.connects()
    desk.hears("ACK", {"msg_ref": "USER_HELLO"}, ts=desk.wall + 299_000, signed=False, bind=False)
    assert desk.member.clock_offset_ms == 0
    assert desk.told(Warned) == []


@pytest.mark.spec("2")
def test_a_hello_refused_for_its_time_is_said_again_with_the_servers_time() -> None:
    desk = Desk()
    desk.connects()
    detail = "USER_HELLO: your clock is 400.000 s ahead; set it right"
    desk.hears("ERROR", {"code": "BAD_FRAME", "detail": detail}, signed=False, bind=False)
    assert desk.ended[0].retry is True
    assert desk.member.clock_offset_ms == -400_000
    desk.event(Connected(NONCE))
    assert desk.sent("USER_HELLO")[-1].ts == desk.wall - 400_000


@pytest.mark.spec("11")
def test_after_the_ack_our_frames_are_bound_to_their_envelopes() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    frame = desk.sent("MSG_DIRECT")[0]
    bind = {"type": "MSG_DIRECT", "from": desk.id, "to": alice.id, "ts": frame.ts}
    assert frame.members["bind"] == bind
    assert signing.verify_transport(desk.key.public, frame)


@pytest.mark.spec("13")
def test_to_a_plain_server_our_frames_are_signed_and_carry_no_bind() -> None:
    desk = Desk(server_features=()).attaches()
    desk.says(desk.friend("alice"), "hi")
    frame = desk.sent("MSG_DIRECT")[0]
    assert "bind" not in frame.members
    assert signing.verify_transport(desk.key.public, frame)


@pytest.mark.threat("M9")
@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("ws://localhost:8001", True),
        ("ws://localhost", True),
        ("ws://[::1]:8001/chat", True),
        ("ws://chat.example.org:80", False),
        ("wss://192.0.2.7:443/ws", False),
        ("ws://localhost.example.org:8001", False),
    ],
)
def test_where_a_server_proved_itself_another_that_proves_nothing_is_not_taken_for_it(
    address: str, taken: bool
) -> None:
    desk = Desk(address=address).attaches()
    desk.loses_the_link()
    desk.server_id, desk.server_key = an_id("in between"), desk.suite.generate()
    desk.server_features = ()
    desk.attaches()
    assert desk.member.attached is taken
    assert bool(desk.ended) is not taken
    said = "another server answers at" if taken else "answers there and proves nothing"
    assert any(said in warning for warning in desk.warnings)


@pytest.mark.threat("M9")
def test_another_server_that_proves_itself_is_taken_where_one_was_before() -> None:
    desk = Desk(address="ws://chat.example.org:80").attaches()
    desk.loses_the_link()
    desk.server_id, desk.server_key = an_id("another"), desk.suite.generate()
    desk.attaches()
    assert desk.member.attached
    assert "another server answers at" in desk.warnings[0]


@pytest.mark.spec("11")
@pytest.mark.parametrize("fast", [True, False])
def test_who_signs_all_frames_with_their_own_key_does_not_say_that_they_have_another(
    fast: bool,
) -> None:
    desk = Desk()
    profile = Profile(desk.id, ME, "test", ADDRESS, fast_sig=fast)
    desk.member = Member(profile, desk.suite, desk.key, Remembered())
    desk.connects()
    features = desk.sent("USER_HELLO")[0].members["features"]
    assert isinstance(features, list)
    assert (FAST_SIG in features) is fast


@pytest.mark.threat("I8")
def test_what_a_server_that_proves_nothing_calls_itself_is_cut_short() -> None:
    desk = Desk()
    desk.connects()
    desk.is_challenged(server_id="s" * 64)
    desk.is_welcomed(proof=False, server_id="s" * 64)
    assert desk.warnings[0].startswith(f"the server {'s' * 39}… could not prove its key")
