"""The public channel for a member: keys, posts, who reads them (section 7)."""

from __future__ import annotations

import pytest

from socp.channel import keyring, shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, content_sig, hybrid, rotation
from socp.crypto.signing import sign_transport
from socp.member import arrivals, public
from socp.member.effects import GenerateChannelKey, MembersShown, MessageArrived, Trust
from socp.member.events import ChannelKeyGenerated, Say
from socp.member.records import ChannelKey, LineState, Seen
from socp.wire import base64url, content
from socp.wire.canonical import to_members
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend, an_id


def with_key(desk: Desk) -> ChannelKey:
    """The client makes the channel's key, nobody else being there."""
    desk.hears("PUBLIC_CHANNEL_ADD", {"add": [desk.id], "if_version": 0}, to="*")
    for _ in range(100):
        desk.passes(0.1)
        if wanted := desk.did(GenerateChannelKey):
            desk.event(ChannelKeyGenerated(wanted[0].version, desk.suite.generate()))
            break
    desk.passes(0.2)
    return desk.kept(ChannelKey)[0]


def a_key(desk: Desk, maker: Friend, version: int = 1) -> HeldKey:
    """A key of the channel as a friend makes it."""
    private = desk.suite.generate()
    group_key = channel_box.new_group_key(desk.suite)
    box = channel_box.seal_private(desk.suite, group_key, private, version)
    return HeldKey(version, private.public, private, group_key, box, maker.id)


def share(desk: Desk, maker: Friend, key: HeldKey) -> None:
    """A friend gives us a key."""
    payload = to_members(shares.make(maker.key, desk.id, desk.key.public, key))
    desk.hears(
        "PUBLIC_CHANNEL_KEY_SHARE", payload, from_=maker.id, to="*", key=maker.key, bind=False
    )


def post(desk: Desk, author: Friend, key: HeldKey, text: str) -> dict[str, object]:
    """The payload of a post by a friend."""
    if author.features:
        raw = hybrid.seal(
            desk.suite, key.public, text.encode(), from_=author.id, to="public", ts=desk.wall
        )
    else:
        raw = key.public.seal(text.encode())
    return {
        "ciphertext": base64url.encode(raw),
        "sender_pub": author.key.public.text,
        "content_sig": content_sig.sign_public(author.key, raw, author.id, desk.wall),
    }


def hears_post(desk: Desk, author: Friend, members: dict[str, object]) -> None:
    desk.hears("MSG_PUBLIC_CHANNEL", members, from_=author.id, to="public", bind=False)


@pytest.mark.spec("7")
def test_alone_the_client_makes_a_key_keeps_it_and_shares_it_with_itself() -> None:
    desk = Desk().attaches()
    key = with_key(desk)
    assert key.version == 1
    (shared,) = desk.sent("PUBLIC_CHANNEL_KEY_SHARE")
    assert shared.to == "*"
    assert "bind" not in shared.members


@pytest.mark.spec("7")
def test_a_post_waits_for_the_key_and_goes_when_it_is_here() -> None:
    desk = Desk().attaches()
    desk.event(Say("public", "hello all"))
    assert "key is not here yet" in desk.line().reason
    with_key(desk)
    assert len(desk.sent("MSG_PUBLIC_CHANNEL")) == 1
    assert desk.line().state is LineState.SENT
    assert desk.told(MembersShown) == [MembersShown(members=(), fresh=())]


@pytest.mark.spec("7")
def test_a_post_is_sealed_to_the_channel_and_signed_by_us() -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    record = with_key(desk)
    desk.event(Say("public", "x" * 2000))
    (frame,) = desk.sent("MSG_PUBLIC_CHANNEL")
    private = desk.suite.load_private(record.private)
    raw = base64url.decode(str(frame.members["ciphertext"]))
    text = hybrid.open_(private, raw, from_=desk.id, to="public", ts=frame.ts)
    assert content.decode(text)[0] == content.Text(body="x" * 2000)
    assert frame.to == "public"
    assert desk.told(MessageArrived) == []


@pytest.mark.spec("7")
def test_with_one_v13_member_a_post_is_bare_rsa_for_all_and_the_person_is_told_whom_for() -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    bob = desk.friend("bob", v13=True)
    with_key(desk)
    desk.event(Say("public", "y" * 1000))
    desk.event(Say("public", "again"))
    assert len(desk.sent("MSG_PUBLIC_CHANNEL")) == 4
    assert all(
        len(base64url.decode(str(f.members["ciphertext"]))) == 512
        for f in desk.sent("MSG_PUBLIC_CHANNEL")
    )
    assert len([w for w in desk.warnings if w.startswith("bob: no hybrid/1 there")]) == 1
    desk.goes(bob)
    desk.event(Say("public", "z" * 1000))
    assert len(desk.sent("MSG_PUBLIC_CHANNEL")) == 5


@pytest.mark.spec("7")
def test_the_members_are_shown_before_the_first_post_and_newcomers_before_the_next() -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    with_key(desk)
    assert desk.told(MembersShown) == []
    desk.event(Say("public", "one"))
    desk.event(Say("public", "two"))
    (shown,) = desk.told(MembersShown)
    assert [person.label for person in shown.members] == ["alice"]
    order = [type(notice).__name__ for notice in desk.notices]
    assert order.index("MembersShown") < order.index("LineMoved")
    desk.friend("carol")
    desk.event(Say("public", "three"))
    assert [person.label for person in desk.told(MembersShown)[-1].fresh] == ["carol"]


@pytest.mark.spec("7")
def test_a_shared_key_opens_posts() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    key = a_key(desk, alice)
    share(desk, alice, key)
    assert desk.kept(ChannelKey)[0].creator_id == alice.id
    hears_post(desk, alice, post(desk, alice, key, "hello all"))
    assert desk.texts == ["hello all"]
    (arrived,) = desk.told(MessageArrived)
    assert (arrived.public, arrived.trust) == (True, Trust.PINNED)


@pytest.mark.spec("7")
def test_a_post_that_comes_before_its_key_is_shown_when_the_key_comes() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    key = a_key(desk, alice)
    hears_post(desk, alice, post(desk, alice, key, "early"))
    assert desk.texts == []
    share(desk, alice, key)
    assert desk.texts == ["early"]
    desk.passes(31, tick_ms=1_000)
    assert desk.refusals == []


@pytest.mark.spec("7")
def test_a_post_whose_key_never_comes_is_told_with_a_way_out() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    hears_post(desk, alice, post(desk, alice, a_key(desk, alice), "lost"))
    desk.passes(31)
    (refused,) = desk.refusals
    assert "that you were not given" in refused.reason


@pytest.mark.spec("7")
def test_keys_outlive_the_process() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    key = a_key(desk, alice)
    share(desk, alice, key)
    desk.again(desk.store())
    desk.attaches()
    hears_post(desk, alice, post(desk, alice, key, "still here"))
    assert desk.texts == ["still here"]


@pytest.mark.threat("M10")
def test_a_share_by_somebody_whose_key_is_not_pinned_waits_for_it_and_another_key_fails() -> None:
    desk = Desk().attaches()
    mallory = Friend(desk, "mallory", desk.suite.generate())
    share(desk, mallory, a_key(desk, mallory))
    assert desk.sent("PUBKEY_REQUEST")
    real = desk.suite.generate().public.text
    desk.hears("PUBKEY_RESPONSE", {"user_id": mallory.id, "pubkey": real})
    assert desk.kept(ChannelKey) == []


@pytest.mark.spec("7")
def test_a_share_by_an_unknown_member_is_used_once_the_directory_names_their_key() -> None:
    desk = Desk().attaches()
    alice = Friend(desk, "alice", desk.suite.generate())
    share(desk, alice, a_key(desk, alice))
    answer = {"user_id": alice.id, "pubkey": alice.key.public.text}
    desk.hears("PUBKEY_RESPONSE", answer)
    assert len(desk.kept(ChannelKey)) == 1


@pytest.mark.threat("I2")
def test_a_post_signed_by_another_key_is_not_shown() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    key = a_key(desk, alice)
    share(desk, alice, key)
    mallory = Friend(desk, "alice", desk.suite.generate())
    hears_post(desk, alice, post(desk, mallory, key, "i am alice"))
    desk.hears("PUBKEY_RESPONSE", {"user_id": alice.id, "pubkey": alice.key.public.text})
    assert desk.texts == []
    assert len(desk.refusals) == 1


@pytest.mark.spec("7")
def test_our_own_post_echoed_by_a_server_is_not_shown() -> None:
    desk = Desk().attaches()
    with_key(desk)
    desk.event(Say("public", "mine"))
    frame = desk.sent("MSG_PUBLIC_CHANNEL")[0]
    desk.hears("MSG_PUBLIC_CHANNEL", frame.members, from_=desk.id, to="public", bind=False)
    assert desk.texts == []
    assert desk.refusals == []


@pytest.mark.spec("7")
@pytest.mark.parametrize("where", ["text", "plain ciphertext", "coded ciphertext"])
def test_a_foreign_post_in_clear_is_shown_as_not_encrypted(where: str) -> None:
    desk = Desk(server_features=()).attaches()
    bob = desk.friend("bob", v13=True)
    cases: dict[str, dict[str, object]] = {
        "text": {"text": "hello in clear"},
        "plain ciphertext": {"ciphertext": "hello in clear", "sender_pub": "", "content_sig": ""},
        "coded ciphertext": {
            "ciphertext": base64url.encode(b"hello in clear"),
            "sender_pub": bob.key.public.text,
            "content_sig": content_sig.sign_public(bob.key, b"hello in clear", bob.id, desk.wall),
        },
    }
    envelope = desk.frame(
        "MSG_PUBLIC_CHANNEL", cases[where], from_=bob.id, to="public", key=bob.key
    )
    warned = len(desk.warnings)
    desk.hears_again(envelope)
    desk.hears_again(envelope)
    (arrived,) = desk.told(MessageArrived)
    assert (arrived.text, arrived.trust) == ("hello in clear", Trust.NOT_ENCRYPTED)
    assert desk.refusals == []
    assert len(desk.warnings) == warned
    assert desk.kept(Seen)[-1].ts == envelope.ts


@pytest.mark.threat("I2")
def test_a_post_in_clear_that_its_author_did_not_sign_is_not_shown() -> None:
    desk = Desk(server_features=()).attaches()
    bob = desk.friend("bob", v13=True)
    said: dict[str, object] = {"text": "i am bob"}
    desk.hears("MSG_PUBLIC_CHANNEL", said, from_=bob.id, to="public")
    assert desk.texts == []
    assert "nobody signed it" in desk.refusals[0].reason


@pytest.mark.threat("M1")
def test_a_signed_post_in_clear_is_not_shown_again_under_another_time() -> None:
    desk = Desk(server_features=()).attaches()
    bob = desk.friend("bob", v13=True)
    said: dict[str, object] = {"text": "once"}
    for later in (0, 60_000):
        ts = desk.wall + later
        frame = desk.frame(
            "MSG_PUBLIC_CHANNEL", said, from_=bob.id, to="public", ts=ts, key=bob.key
        )
        assert frame.sig != sign_transport(bob.key, said)
        desk.hears_again(frame)
    assert desk.texts == ["once"]


@pytest.mark.threat("I10")
def test_a_post_in_clear_by_who_revoked_their_id_is_not_shown() -> None:
    desk = Desk(server_features=()).attaches()
    bob = desk.friend("bob", v13=True)
    word = rotation.revoke(bob.id, bob.key, 1, desk.wall).revoked
    told = {"user_id": bob.id, "rotations": [], "revoked": to_members(word)}
    desk.hears("KEY_HISTORY", told, to="*")
    desk.hears("MSG_PUBLIC_CHANNEL", {"text": "me"}, from_=bob.id, to="public", key=bob.key)
    assert desk.texts == []
    assert "they revoked their id" in desk.refusals[0].reason


@pytest.mark.threat("S5")
def test_posts_in_clear_that_nobody_reads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "UNSEEN_MAX", 3)
    desk = Desk(WITH_MAILBOX, looks=False).attaches()
    bob = desk.friend("bob", v13=True)
    for number in range(5):
        signer = bob.key if number % 2 else None
        said = {"text": f"one of many: {number}"}
        desk.hears("MSG_PUBLIC_CHANNEL", said, from_=bob.id, to="public", key=signer, bind=False)
    assert len(desk.store().arrived) == 3


@pytest.mark.threat("S5")
def test_keys_that_are_too_many_to_be_held_are_not_kept_on_the_disk_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob")
    brought = [a_key(desk, bob, version) for version in range(1, 6)]
    for key in brought:
        share(desk, bob, key)
    monkeypatch.setattr(public, "KEYS_KEPT", 3)  # as if an older version had kept too many
    desk.again(desk.store())
    desk.attaches()
    assert [one.version for one in desk.store().channel_keys] == [3, 4, 5]
    monkeypatch.setattr(keyring, "KEYS_KEPT", 3)
    share(desk, bob, a_key(desk, bob, 6))
    assert [one.version for one in desk.store().channel_keys] == [4, 5, 6]


def given(desk: Desk) -> set[str]:
    """Who was given a key of the channel."""
    return {
        share["member"]
        for frame in desk.sent("PUBLIC_CHANNEL_KEY_SHARE")
        for share in frame.members["shares"]  # type: ignore[attr-defined]
    }


@pytest.mark.spec("7")
@pytest.mark.spec("11")
@pytest.mark.parametrize("features", [WITH_MAILBOX, WITHOUT_MAILBOX])
def test_where_posts_are_kept_a_new_key_goes_to_the_members_who_are_away_and_known(
    features: tuple[str, ...],
) -> None:
    desk = Desk(features).attaches()
    alice, bob = desk.friend("alice"), desk.friend("bob")
    for friend in (alice, bob):
        desk.goes(friend)
    desk.friend("carol", online=False).writes("hello, I am on my own word")
    desk.hears("ERROR", {"code": "USER_NOT_FOUND", "detail": "nobody", "user_id": an_id("carol")})
    with_key(desk)
    desk.passes(2)
    kept = features == WITH_MAILBOX
    assert given(desk) == {desk.id, *((alice.id, bob.id) if kept else ())}


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_who_posts_under_a_key_gives_it_to_the_members_who_went_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public, "AWAY_MAX", 2)
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    friends = [desk.friend(name) for name in ("bob", "carol", "dave")]
    share(desk, alice, a_key(desk, alice))
    for friend in friends:
        desk.goes(friend)
    desk.passes(2)
    assert given(desk) == set()
    desk.event(Say("public", "hello all"))
    desk.passes(2)
    assert given(desk) == {friends[1].id, friends[2].id}  # the most lately seen


@pytest.mark.spec("7")
def test_after_a_restart_the_key_goes_to_who_comes_as_before() -> None:
    desk = Desk().attaches()
    with_key(desk)
    desk.again(desk.store())
    desk.attaches()
    bob = desk.friend("bob")
    desk.hears("PUBLIC_CHANNEL_ADD", {"add": [bob.id], "if_version": 1}, to="*")
    desk.passes(2)
    assert bob.id in given(desk)


@pytest.mark.spec("7")
@pytest.mark.threat("S6")
@pytest.mark.parametrize("to", ["*", "us", "another server's"])
def test_a_turn_counts_where_our_own_server_says_it_to_us_alone(to: str) -> None:
    desk = Desk().attaches()
    with_key(desk)
    bob = desk.friend("bob", online=False)
    members = {"add": [bob.id], "if_version": 1, "turn": 40}
    if to == "another server's":
        desk.hears("PUBLIC_CHANNEL_ADD", members, from_=an_id("s"), bind=False)
    else:
        desk.hears("PUBLIC_CHANNEL_ADD", members, to="*" if to == "*" else "")
    desk.comes(bob)
    desk.passes(2)
    assert (bob.id in given(desk)) is (to != "us"), "it is 40 others' turn before ours"
