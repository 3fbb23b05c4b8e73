"""Section 9: ACK and ERROR."""

from __future__ import annotations

from typing import Final

from socp.conform.canonical import b64
from socp.conform.cast import new_id
from socp.conform.expect import about, refused, same, signed_form, text_of
from socp.conform.frames import Frame
from socp.conform.peers import Message, message
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.channel import post
from socp.conform.verdicts import Breach, Dialect

ANSWERS: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_STATUSES: Final = ("queued", "delivered", "refused", "", None)


async def _answered(probe: Probe) -> tuple[Message, Frame]:
    """A message to who is there, and what its author is told."""
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    return said, await alice.link.hears("ACK", "ERROR")


@ANSWERS.must(
    "9.1-answered",
    "a message that is delivered is answered by ACK",
    "answer every MSG_* by ACK or ERROR at once",
)
async def _dm_answered(probe: Probe) -> None:
    _, came = await _answered(probe)
    same("the answer", came.type, "ACK")


@ANSWERS.must(
    "9.2-msg-ref",
    "its msg_ref is base64url(SHA-256(raw_ciphertext || from || to || ts))",
    "compute msg_ref over the decoded ciphertext, both ids and the author's ts",
)
async def _msg_ref(probe: Probe) -> None:
    said, came = await _answered(probe)
    ref = came.get("msg_ref")
    if ref == "MSG_DIRECT":
        raise Dialect("msg_ref is the type, which cannot tell two messages apart")
    same("msg_ref", ref, said.ref)


@ANSWERS.must(
    "9.3-one-answer",
    "there is one answer",
    "say ACK or ERROR once; a queued message gets a second ACK when it was delivered",
)
async def _one_answer(probe: Probe) -> None:
    alice = await probe.alice()
    said, came = await _answered(probe)
    if came.get("status") == "queued":
        await alice.link.hears("ACK", where=about(said.ref))
    await alice.link.quiet("ACK", "ERROR", where=about(said.ref))


@ANSWERS.should(
    "9.4-status",
    "status is queued, delivered or refused, where it is there",
    "use the three words of section 9",
)
async def _status(probe: Probe) -> None:
    _, came = await _answered(probe)
    if came.get("status") not in _STATUSES:
        raise Breach(f"status is {came.get('status')!r:.40}")


@ANSWERS.should(
    "9.5-delivered",
    "what was written to a v1.3 reader's socket has status delivered",
    'say status "delivered" where the reader is here and has no mailbox/1',
)
async def _delivered(probe: Probe) -> None:
    _, came = await _answered(probe)
    same("status", came.get("status"), "delivered")


@ANSWERS.must(
    "9.10-nobody",
    "a message for nobody is answered by USER_NOT_FOUND",
    "answer by ERROR USER_NOT_FOUND",
)
async def _nobody(probe: Probe) -> None:
    alice = await probe.alice()
    said = message(alice.who, new_id(), alice.who.key.public)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=said.reader, ts=said.ts)
    await refused(alice.link, "USER_NOT_FOUND", ref=said.ref)


@ANSWERS.should(
    "9.11-error-msg-ref",
    "that ERROR has the message's msg_ref",
    "put msg_ref into each ERROR about a message",
)
async def _error_msg_ref(probe: Probe) -> None:
    alice = await probe.alice()
    said = message(alice.who, new_id(), alice.who.key.public)
    await alice.says_wrong("MSG_DIRECT", said.payload, to=said.reader, ts=said.ts)
    same("msg_ref", (await alice.link.hears("ERROR")).get("msg_ref"), said.ref)


@ANSWERS.must(
    "9.12-error-members",
    "an ERROR has code and detail, both texts",
    "put code and detail into each ERROR",
)
async def _error_members(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("X_CONFORM", {})
    error = await alice.link.hears("ERROR")
    text_of(error, "code")
    text_of(error, "detail")


@ANSWERS.should(
    "9.13-error-detail",
    "the detail says something",
    "say in detail what is wrong and what to do about it",
)
async def _error_detail(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("X_CONFORM", {})
    error = await alice.link.hears("ERROR")
    if len(text_of(error, "detail")) < 4:
        raise Breach(f"detail is {error.get('detail')!r}")


@ANSWERS.should(
    "9.14-error-signed",
    "an ERROR to a user who said hello is signed",
    "sign ERROR like every other frame",
    rests_on="3.3-sig-covers-payload",
)
async def _error_signed(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("X_CONFORM", {})
    signed_form(alice.server_key, await alice.link.hears("ERROR"))


@ANSWERS.must(
    "9.15-error-envelope",
    "an ERROR is from the server, to the user",
    "put your id into from, and the user's into to",
)
async def _error_envelope(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("X_CONFORM", {})
    error = await alice.link.hears("ERROR")
    same("from", error.members.get("from"), alice.server_id)
    same("to", error.members.get("to"), alice.id)


_MALFORMED: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "9.20-no-ciphertext": ("without ciphertext", {"ciphertext": None}),
    "9.21-ciphertext-number": ("whose ciphertext is a number", {"ciphertext": 7}),
    "9.22-ciphertext-no-base64url": ("whose ciphertext is no base64url", {"ciphertext": "a b!"}),
    "9.23-no-sender-pub": ("without sender_pub", {"sender_pub": None}),
    "9.24-no-content-sig": ("without content_sig", {"content_sig": None}),
}


def _malformed(rule_id: str, what: str, changed: dict[str, object]) -> None:
    @ANSWERS.must(
        rule_id,
        f"a MSG_DIRECT {what} is refused (BAD_FRAME)",
        "check the members of a payload before anything else",
    )
    async def _refused(probe: Probe) -> None:
        alice, bob = await probe.alice(), await probe.bob()
        said = message(alice.who, bob.id, bob.who.key.public)
        payload = {k: v for k, v in {**said.payload, **changed}.items() if v is not None}
        await alice.says_wrong("MSG_DIRECT", payload, to=bob.id, ts=said.ts)
        try:
            await refused(alice.link, "BAD_FRAME", "BAD_KEY", ref=said.ref)
        finally:
            if bob.link.has("USER_DELIVER"):
                raise Breach("it was delivered")


for _id, (_what, _changed) in _MALFORMED.items():
    _malformed(_id, _what, _changed)


@ANSWERS.should(
    "9.25-repeated-is-acked",
    "the same bytes said again are acknowledged again",
    "answer a repetition as the first one: the first ACK may have been lost",
)
async def _repeated(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    frame = alice.frame("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    for _ in range(2):
        await alice.link.say(frame)
        same("the answer", (await alice.link.hears("ACK", "ERROR")).type, "ACK")


@ANSWERS.must(
    "9.26-post-acked",
    "a post is answered by ACK, with its msg_ref",
    'compute msg_ref of a post with to = "public"',
    needs=[Need.THROW_AWAY],
)
async def _post_acked(probe: Probe) -> None:
    alice = await probe.alice()
    payload, ts, ref = post(alice)
    await alice.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    came = await alice.link.hears("ACK", "ERROR")
    same("the answer", came.type, "ACK")
    same("msg_ref", came.get("msg_ref"), ref)


@ANSWERS.should(
    "9.27-unhappy-link-lives",
    "after ten faults of one link another one is served as before",
    "a peer's fault costs that peer alone",
)
async def _link_lives(probe: Probe) -> None:
    bob, carol = await probe.bob(), await probe.user("carol")
    for _ in range(10):
        await carol.says_wrong("X_CONFORM", {"text": b64(b"x")})
    await bob.say("LIST_REQUEST", {})
    await bob.link.hears("USER_LIST", "LIST_RESPONSE")
