"""M4: content_sig stripped, the same ciphertext signed by another: Alice's words as Mallory's."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.member.effects import Amended, Trust
from socp.member.events import Amend, Say
from socp.sim.stranger import Stranger
from socp.sim.user import User
from socp.wire import base64url
from tests.sim.town import Town, town


def v13_user(t: Town, name: str) -> Stranger:
    """A client of plain v1.3 at server a, seen by all."""
    stranger = t.world.add_stranger(name)
    stranger.dials(t.a)
    t.run(0.1)
    stranger.hello()
    t.run(1)
    return stranger


def says(t: Town, author: Stranger, reader: User, raw: bytes) -> None:
    """MSG_DIRECT of a plain v1.3 client."""
    ts = t.world.wall
    message = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": author.key.public.text,
        "content_sig": content_sig.sign_direct(author.key, raw, author.id, reader.id, ts),
    }
    author.say("MSG_DIRECT", message, to=reader.id, ts=ts)
    t.run(1)


@pytest.mark.threat("M4")
def test_words_of_a_v13_author_are_not_shown_again_as_anothers() -> None:
    t = town()
    victor, mallory = v13_user(t, "victor"), v13_user(t, "mallory")
    raw = t.carol.key.public.seal(b"the password is swordfish")
    says(t, victor, t.carol, raw)
    says(t, mallory, t.carol, raw)
    (message,) = t.carol.messages
    assert (message.author, message.trust) == (victor.id, Trust.NOT_BOUND)
    assert t.carol.refusals[0].author == mallory.id


@pytest.mark.threat("M4")
def test_a_restart_does_not_make_the_reader_forget_whose_words_they_were() -> None:
    t = town()
    victor, mallory = v13_user(t, "victor"), v13_user(t, "mallory")
    raw = t.carol.key.public.seal(b"the password is swordfish")
    says(t, victor, t.carol, raw)
    t.carol.kill()
    t.run(1)
    t.carol.start()
    t.run(2)
    says(t, mallory, t.carol, raw)
    assert [message.author for message in t.carol.messages] == [victor.id]


@pytest.mark.threat("M4")
def test_words_of_one_of_ours_cannot_be_taken_over_even_where_they_were_never_seen() -> None:
    t = town()
    mallory = v13_user(t, "mallory")
    t.a.bend = lambda said: None if said.type == "SERVER_DELIVER" else said  # alice's is held back
    t.alice.says(t.carol, "the password is swordfish")
    t.run(1)
    t.a.bend = None
    raw = base64url.decode(str(t.alice.sent("MSG_DIRECT")[0].members["ciphertext"]))
    says(t, mallory, t.carol, raw)
    assert t.carol.texts == []
    assert "changed on the way" in t.carol.refusals[0].reason


@pytest.mark.threat("M4")
@pytest.mark.spec("11")
def test_an_answer_names_what_it_answers_and_repeats_no_word_of_it() -> None:
    t = town()
    victor = v13_user(t, "victor")
    says(t, victor, t.carol, t.carol.key.public.seal(b"the password is swordfish"))
    (message,) = t.carol.messages
    assert message.trust is Trust.NOT_BOUND
    t.carol.event(Say(t.alice.id, "what do you say to this?", reply_to=message.msg_ref))
    t.run(1)
    (answer,) = t.alice.messages
    assert (answer.text, answer.reply_to) == ("what do you say to this?", message.msg_ref)


@pytest.mark.threat("M4")
@pytest.mark.spec("11")
def test_nobody_changes_or_takes_back_anothers_words() -> None:
    t = town()
    t.alice.says(t.bob, "yes")
    t.alice.posts("yes")
    t.run(1)
    for message in t.bob.messages:
        for kind in ("edit", "delete"):
            to = "public" if message.public else t.bob.id
            t.carol.event(Amend(to, message.msg_ref, kind, "no" if kind == "edit" else ""))
        t.bob.event(Amend(t.alice.id, message.msg_ref, "edit", "no"))
    t.run(2)
    for reader in (t.alice, t.bob):
        assert [told for told in reader.told(Amended) if told.author != reader.id] == []


@pytest.mark.threat("M4")
def test_a_post_cannot_be_taken_over() -> None:
    t = town()
    mallory = v13_user(t, "mallory")
    t.alice.posts("my idea")  # bare RSA, since mallory's client has no hybrid/1
    t.run(1)
    (post,) = t.carol.heard("MSG_PUBLIC_CHANNEL")
    raw = base64url.decode(str(post.members["ciphertext"]))
    ts = t.world.wall
    taken = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": mallory.key.public.text,
        "content_sig": content_sig.sign_public(mallory.key, raw, mallory.id, ts),
    }
    mallory.say("MSG_PUBLIC_CHANNEL", taken, to="public", ts=ts)
    t.run(1)
    assert [message.author for message in t.carol.messages] == [t.alice.id]
    assert t.carol.refusals[0].author == mallory.id
