"""Whose key is whose, who is online, and what clients signed that they can (sections 5, 10, 11)."""

from __future__ import annotations

import pytest

from socp.crypto import hybrid, signing
from socp.member.effects import KeyChanged, PeerMoved
from socp.member.records import Contact
from socp.wire import base64url
from socp.wire.envelope import Envelope
from tests.member.desk import START_MS, Desk, an_id


def is_hybrid(envelope: Envelope) -> bool:
    return hybrid.is_hybrid(base64url.decode(str(envelope.members["ciphertext"])))


@pytest.mark.spec("10")
def test_the_first_key_seen_is_pinned_and_told() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    contact = desk.kept(Contact)[-1]
    assert contact.pubkey == alice.key.public.text
    assert contact.features == alice.features
    assert (contact.content_form, contact.refused_key) == ("", "")
    moved = desk.told(PeerMoved)[0]
    assert (moved.display_name, moved.online, moved.first_seen) == ("alice", True, True)


@pytest.mark.spec("13")
def test_a_key_in_meta_alone_is_pinned_too() -> None:
    desk = Desk(server_features=()).attaches()
    alice = desk.friend("alice", online=False, v13=True)
    meta = {"display_name": "alice", "pubkey": alice.key.public.text}
    advert = {"user_id": alice.id, "server_id": desk.server_id, "meta": meta}
    desk.hears("USER_ADVERTISE", advert, to="*")
    assert desk.kept(Contact)[-1].pubkey == alice.key.public.text


@pytest.mark.spec("5")
def test_an_advert_without_a_key_has_us_ask_for_it() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = {"user_id": alice.id, "server_id": desk.server_id}
    desk.hears("USER_ADVERTISE", advert, to="*")
    assert desk.sent("PUBKEY_REQUEST")[0].members["user_id"] == alice.id
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.threat("I3")
@pytest.mark.threat("I9")
def test_another_key_for_a_pinned_user_is_loud_and_changes_nothing() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    other = desk.suite.generate()
    desk.wall += 1
    for _ in range(2):
        desk.wall += 1
        desk.hears("USER_ADVERTISE", desk.advert(alice, key=other), to="*")
    (changed,) = desk.told(KeyChanged)
    assert changed.pinned == alice.key.public.fingerprint
    assert changed.claimed == other.public.fingerprint
    assert not desk.member.contacts.is_online(alice.id)
    assert desk.kept(Contact)[-1].pubkey == alice.key.public.text
    assert desk.kept(Contact)[-1].refused_key == other.public.fingerprint


@pytest.mark.spec("5")
def test_a_new_name_is_kept_and_no_name_leaves_the_one_that_was() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    for said, kept in (("Alicia", "Alicia"), ("", "Alicia"), ("Ally", "Ally")):
        desk.wall += 1
        desk.hears("USER_ADVERTISE", desk.advert(alice, name=said), to="*")
        assert desk.kept(Contact)[-1].display_name == kept


@pytest.mark.threat("I9")
def test_the_pin_outlives_the_process() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.again(desk.store())
    desk.attaches()
    desk.wall += 1
    desk.hears("USER_ADVERTISE", desk.advert(alice, key=desk.suite.generate()), to="*")
    assert len(desk.told(KeyChanged)) == 1


@pytest.mark.threat("I9")
def test_a_directory_answer_with_another_key_is_loud_too() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.says(alice, "hi")
    answer = {"user_id": alice.id, "pubkey": alice.key.public.text}
    desk.hears("PUBKEY_RESPONSE", answer)
    unasked = {"user_id": alice.id, "pubkey": desk.suite.generate().public.text}
    desk.hears("PUBKEY_RESPONSE", unasked)
    assert [c.pubkey for c in desk.kept(Contact)] == [alice.key.public.text]


@pytest.mark.threat("I9")
def test_an_answer_nobody_asked_for_pins_nobody() -> None:
    desk = Desk().attaches()
    key = desk.suite.generate().public.text
    desk.hears("PUBKEY_RESPONSE", {"user_id": an_id("eve"), "pubkey": key})
    assert desk.kept(Contact) == []


@pytest.mark.threat("I9")
def test_somebody_with_our_own_id_and_another_key_is_loud() -> None:
    desk = Desk().attaches()
    key = desk.suite.generate()
    advert = {"user_id": desk.id, "server_id": desk.server_id, "pubkey": key.public.text}
    desk.hears("USER_ADVERTISE", advert, to="*")
    (changed,) = desk.told(KeyChanged)
    assert (changed.user_id, changed.claimed) == (desk.id, key.public.fingerprint)
    assert changed.pinned == desk.key.public.fingerprint


@pytest.mark.threat("M15")
def test_features_without_the_users_own_signature_do_not_count() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.hears("USER_ADVERTISE", desk.advert(alice, attach_ts=0), to="*")
    assert desk.kept(Contact)[-1].features == ()
    desk.says(alice, "hi")
    assert not is_hybrid(desk.sent("MSG_DIRECT")[0])


@pytest.mark.threat("M15")
@pytest.mark.parametrize("strip", ["features", "attach", "both"])
def test_a_server_cannot_strip_hybrid_from_somebody_whose_features_are_pinned(strip: str) -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.goes(alice)
    desk.wall += 10
    advert = desk.advert(alice)
    if strip in ("features", "both"):
        advert["features"] = ["link-auth/1", "bind/1"]
    if strip in ("attach", "both"):
        del advert["attach"]
    desk.hears("USER_ADVERTISE", advert, to="*")
    desk.says(alice, "hi")
    assert is_hybrid(desk.sent("MSG_DIRECT")[0])


@pytest.mark.threat("M15")
def test_an_older_attach_does_not_bring_older_features_back() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    old = desk.advert(alice, features=("link-auth/1",), attach_ts=START_MS - 1_000)
    desk.wall += 10
    desk.hears("USER_ADVERTISE", old, to="*")
    desk.says(alice, "hi")
    assert is_hybrid(desk.sent("MSG_DIRECT")[0])


@pytest.mark.threat("M15")
def test_an_attach_for_another_server_does_not_count() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = desk.advert(alice)
    elsewhere = an_id("elsewhere")
    sig = signing.attach(alice.id, elsewhere, desk.wall, alice.features)
    advert["attach"] = {"ts": desk.wall, "sig": signing.sign(alice.key, sig)}
    desk.hears("USER_ADVERTISE", advert, to="*")
    assert desk.kept(Contact)[-1].features == ()


@pytest.mark.threat("M15")
def test_the_friends_own_newer_word_takes_hybrid_away_and_is_told() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.wall += 10
    desk.hears("USER_ADVERTISE", desk.advert(alice, features=("link-auth/1",)), to="*")
    assert "no longer has hybrid/1, by their own signature" in desk.warnings[-1]


@pytest.mark.threat("M15")
def test_an_attach_far_in_the_future_does_not_count() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    desk.hears("USER_ADVERTISE", desk.advert(alice, attach_ts=desk.wall + 301_000), to="*")
    assert desk.kept(Contact)[-1].attach_ts == 0


@pytest.mark.spec("5")
@pytest.mark.threat("M2")
def test_an_older_advert_does_not_bring_back_who_left() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = desk.comes(alice)
    desk.goes(alice)
    desk.hears_again(advert)
    assert not desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
@pytest.mark.threat("M2")
def test_an_older_remove_does_not_take_away_who_came_back() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    gone = desk.goes(alice)
    desk.comes(alice)
    desk.hears_again(gone)
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_server_cannot_remove_a_user_who_is_elsewhere() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    other = an_id("another server")
    desk.wall += 1
    remove = {"user_id": alice.id, "server_id": other}
    desk.hears("USER_REMOVE", remove, from_=other, key=desk.suite.generate(), to="*")
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
@pytest.mark.threat("I3")
def test_a_claim_without_attach_does_not_move_who_is_online_elsewhere() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    thief = an_id("thief")
    desk.wall += 1
    claim = desk.advert(alice, server_id=thief, attach_ts=0)
    desk.hears("USER_ADVERTISE", claim, from_=thief, to="*", bind=True)
    desk.wall += 1
    remove = {"user_id": alice.id, "server_id": thief}
    desk.hears("USER_REMOVE", remove, from_=thief, to="*", bind=True)
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("11")
def test_a_newer_attach_moves_a_user() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    other = an_id("other")
    desk.wall += 10
    desk.hears("USER_ADVERTISE", desk.advert(alice, server_id=other), from_=other, to="*")
    desk.wall += 1
    desk.goes(alice)
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.threat("I3")
def test_a_server_cannot_speak_for_another_servers_user() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = desk.advert(alice, server_id=an_id("b"))
    desk.hears("USER_ADVERTISE", advert, from_=an_id("c"), to="*")
    assert not desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
def test_a_remove_that_carries_an_adverts_members_is_a_retyped_frame_and_refused() -> None:
    desk = Desk(server_features=()).attaches()
    alice = desk.friend("alice")
    desk.wall += 1
    desk.hears("USER_REMOVE", desk.advert(alice), to="*")
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
def test_our_server_says_who_went_with_a_lost_server_and_the_snapshot_brings_them_back() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    other = an_id("other")
    ts = desk.wall
    advert = desk.advert(alice, server_id=other)
    snapshot = desk.hears("USER_ADVERTISE", advert, from_=other, to="*", ts=ts, bind=True)
    desk.wall += 5_000
    desk.hears("USER_REMOVE", {"user_id": alice.id, "server_id": other}, to="*")
    assert not desk.member.contacts.is_online(alice.id)
    desk.wall += 5_000
    desk.hears_again(snapshot)
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.spec("5")
def test_when_the_link_is_lost_nobody_is_known_to_be_online_and_the_next_snapshot_counts() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = desk.comes(alice)
    desk.loses_the_link()
    assert not desk.member.contacts.is_online(alice.id)
    desk.attaches()
    desk.hears_again(advert)
    assert desk.member.contacts.is_online(alice.id)
    assert desk.told(PeerMoved)[-1].here_before


@pytest.mark.threat("I7")
def test_the_same_key_in_another_text_is_the_same_key() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.wall += 1
    padded = desk.advert(alice) | {"pubkey": alice.key.public.text + "=="}
    desk.hears("USER_ADVERTISE", padded, to="*")
    assert desk.told(KeyChanged) == []


@pytest.mark.threat("I6")
def test_a_key_that_is_none_is_not_pinned_and_harms_nobody() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice", online=False)
    advert = desk.advert(alice) | {"pubkey": base64url.encode(b"not a key")}
    desk.hears("USER_ADVERTISE", advert, to="*")
    assert desk.kept(Contact) == []
    assert len(desk.warnings) == 1


@pytest.mark.threat("S5")
def test_pins_are_bounded_and_the_person_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socp.member.contacts.CONTACTS_MAX", 3)
    desk = Desk().attaches()
    friends = [desk.friend(f"{number}") for number in range(5)]
    assert len({contact.user_id for contact in desk.kept(Contact)}) == 3
    assert len([text for text in desk.warnings if "no room for more keys" in text]) == 1
    desk.says(friends[0], "hi")
    assert len(desk.sent("MSG_DIRECT")) == 1


@pytest.mark.spec("5")
def test_who_is_online_and_advertised_once_more_does_not_come_again() -> None:
    desk = Desk().attaches()
    desk.comes(desk.friend("alice"))
    assert len(desk.told(PeerMoved)) == 1


@pytest.mark.threat("M2")
def test_of_two_words_about_one_moment_the_first_counts() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    gone = {"user_id": alice.id, "server_id": desk.server_id}
    desk.hears("USER_REMOVE", gone, to="*")
    assert desk.member.contacts.is_online(alice.id)


@pytest.mark.threat("I11")
@pytest.mark.parametrize("what", ["the time alone", "an older one"])
def test_a_word_of_theirs_for_another_time_or_place_is_none_for_this_one(what: str) -> None:
    desk = Desk().attaches()
    other = an_id("other")
    alice = desk.friend("alice", online=False)
    older = desk.advert(alice, server_id=other)
    desk.hears("USER_ADVERTISE", older, from_=other, to="*")
    desk.hears(
        "USER_REMOVE",
        {"user_id": alice.id, "server_id": other},
        from_=other,
        to="*",
        ts=desk.wall + 1,
    )
    desk.comes(alice)
    newest = desk.wall
    desk.goes(alice)
    claim = dict(older)
    if what == "the time alone":
        claim["attach"] = {"ts": newest, "sig": base64url.encode(bytes(512))}
    desk.wall += 1
    desk.hears("USER_ADVERTISE", claim, from_=other, to="*")
    assert desk.member.contacts.is_online(alice.id)
    assert "without their own signature as before" in desk.warnings[-1]


@pytest.mark.threat("I11")
def test_who_signed_for_one_server_and_is_claimed_unsigned_by_another_is_warned_of() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.comes(alice)  # they are there and sign for it
    desk.goes(alice)
    other = an_id("other")
    desk.wall += 1
    claim = desk.advert(alice, server_id=other)
    del claim["attach"]
    desk.hears("USER_ADVERTISE", claim, from_=other, to="*")
    assert "without their own signature as before" in desk.warnings[-1]
