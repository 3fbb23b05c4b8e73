"""Section 3: keys as text, canonical form, signatures."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from socp.conform import preimages
from socp.conform.canonical import b64, canonical, raw_utf8
from socp.conform.expect import LISTS, refused, signed_form
from socp.conform.figures import EXPONENT, RSA_BITS, RSA_BYTES, SALT_MAX_BYTES, SALT_SHORT_BYTES
from socp.conform.frames import now_ms
from socp.conform.keys import NotAKey, read_key, unfit_spki
from socp.conform.peers import message, server_hello, user_hello
from socp.conform.probe import Probe, say_first
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

CRYPTO: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_SIG_CHARS: Final = 683
_ED25519: Final = b64(bytes.fromhex("302a300506032b6570032100") + bytes(32))


# --- the server's own key and signatures --------------------------------------------------------


@CRYPTO.must(
    "3.1-server-key",
    "the server's key is RSA-4096 with exponent 65537",
    "make an RSA-4096 key with e = 65537, and say it in the answer to a hello",
)
async def _server_key(probe: Probe) -> None:
    carol = await probe.user("carol")
    try:
        read_key(carol.answer.get("pubkey") or carol.answer.get("server_pub"))
    except NotAKey as fault:
        raise Breach(f"the key in the answer to a hello: {fault}") from fault


@CRYPTO.must(
    "3.2-server-key-text",
    "that key is written as base64url of the DER SubjectPublicKeyInfo, without padding",
    "write keys as base64url of the DER, no padding, no PEM",
)
async def _server_key_text(probe: Probe) -> None:
    carol = await probe.user("carol")
    if form := carol.server_key.form:
        raise Dialect(f"{form}, which others are asked to take")


@CRYPTO.must(
    "3.3-sig-covers-payload",
    "the server's sig is RSASSA-PSS with SHA-256 over its payload",
    "sign canonical(payload) by RSASSA-PSS with SHA-256 and MGF1-SHA-256, and nothing else",
)
async def _sig_covers_payload(probe: Probe) -> None:
    carol = await probe.user("carol")
    form = signed_form(carol.server_key, carol.answer)
    if "envelope" in form:
        raise Breach(f"the sig covers {form}, and should cover the payload alone")


@CRYPTO.must(
    "3.4-canonical-form",
    "what is signed is the payload with sorted keys, `,` and `:`, without white space",
    "json.dumps(payload, sort_keys=True, separators=(',', ':'))",
)
async def _canonical_form(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.say("LIST_REQUEST", {})
    for frame in (carol.answer, await carol.link.hears(*LISTS)):
        try:
            form = signed_form(carol.server_key, frame)
        except Breach as fault:
            raise Unjudged(f"{fault}: see 3.3-sig-covers-payload") from fault
        if "envelope" in form:
            raise Unjudged(f"the sig covers {form}: see 3.3-sig-covers-payload")
        if form and "UTF-8" not in form:
            raise Breach(f"what is signed is {form}")


@CRYPTO.must(
    "3.5-canonical-escapes",
    "characters outside printable ASCII are escaped in what is signed",
    "escape as Python's json.dumps does by default: \\u00e9 in lower case",
)
async def _canonical_escapes(probe: Probe) -> None:
    alice = await probe.alice()
    name = "Zoë \U0001f642 " + secrets.token_hex(4)
    await probe.user("dora", meta={"display_name": name})
    advert = await alice.link.hears("USER_ADVERTISE", where=lambda f: name in str(f.payload))
    try:
        form = signed_form(alice.server_key, advert)
    except Breach as fault:
        raise Unjudged(f"{fault}: see 3.3-sig-covers-payload") from fault
    if "UTF-8" in form:
        raise Dialect("it signs the raw UTF-8 form, which six others do too")


@CRYPTO.should(
    "3.6-salt",
    "the server's signatures have the maximal salt, 478 bytes",
    "use the maximal salt: most others verify only that",
)
async def _salt(probe: Probe) -> None:
    carol = await probe.user("carol")
    try:
        form = signed_form(carol.server_key, carol.answer)
    except Breach as fault:
        raise Unjudged(f"{fault}: see 3.3-sig-covers-payload") from fault
    if form:
        raise Unjudged(f"the sig covers {form}: see 3.4-canonical-form")
    salt = carol.server_key.salt_of(carol.answer.sig, canonical(carol.answer.payload))
    if salt == SALT_SHORT_BYTES:
        raise Dialect("a salt of 32 bytes, as five others")
    if salt != SALT_MAX_BYTES:
        raise Breach("a salt that is neither 478 nor 32 bytes long")


@CRYPTO.must(
    "3.7-sig-text",
    "sig is base64url without padding",
    f"write the {RSA_BYTES} bytes as {_SIG_CHARS} characters of base64url",
)
async def _sig_text(probe: Probe) -> None:
    sig = (await probe.user("carol")).answer.sig
    if sig.endswith("="):
        raise Dialect("it pads its base64url")
    if len(sig) != _SIG_CHARS or "+" in sig or "/" in sig:
        raise Breach(f"a sig of {len(sig)} characters: {sig[:24]}...")


# --- keys that are refused ----------------------------------------------------------------------


def _of_bits(bits: int) -> int:
    """An odd number of so many bits; nobody has the private half."""
    return secrets.randbits(bits) | (1 << (bits - 1)) | 1


_UNFIT: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "3.10-rsa-2048": ("an RSA-2048 key", lambda: unfit_spki(_of_bits(2048), EXPONENT)),
    "3.11-rsa-8192": ("an RSA-8192 key", lambda: unfit_spki(_of_bits(8192), EXPONENT)),
    "3.12-exponent-3": ("a key with exponent 3", lambda: unfit_spki(_of_bits(RSA_BITS), 3)),
    "3.13-exponent-1": ("a key with exponent 1", lambda: unfit_spki(_of_bits(RSA_BITS), 1)),
    "3.14-even-modulus": (
        "a key with an even modulus",
        lambda: unfit_spki(_of_bits(RSA_BITS) - 1, EXPONENT),
    ),
    "3.15-no-rsa": ("an Ed25519 key", lambda: _ED25519),
    "3.16-no-key": ("a key that is no key", lambda: b64(b"socp conform")),
}


def _refuses(rule_id: str, what: str, make: Callable[[], str]) -> None:
    @CRYPTO.must(
        rule_id,
        f"{what} in USER_HELLO is refused (BAD_KEY)",
        "take RSA-4096 with e = 65537 and an odd modulus alone, and look before any use",
    )
    async def _refused(probe: Probe) -> None:
        who = await probe.identity("erin")
        link = await probe.connect("erin")
        text = make()
        payload = {**user_hello(who), "pubkey": text, "enc_pubkey": text}
        await say_first(link, who, "USER_HELLO", payload)
        await refused(link, "BAD_KEY", ref="USER_HELLO")


for _id, (_what, _make) in _UNFIT.items():
    _refuses(_id, _what, _make)


# --- keys that are taken ------------------------------------------------------------------------


@CRYPTO.should(
    "3.20-padded-key",
    "a key in padded base64url is taken",
    "ignore padding in key texts",
)
async def _padded_key(probe: Probe) -> None:
    who = await probe.identity("carol")
    await probe.user("carol", pubkey=who.key.public.text + "=" * (-len(who.key.public.text) % 4))


@CRYPTO.should(
    "3.21-base64-of-pem",
    "a key as base64url of PEM is taken",
    "take keys whose bytes begin with -----BEGIN as PEM",
)
async def _base64_of_pem(probe: Probe) -> None:
    who = await probe.identity("carol")
    await probe.user("carol", pubkey=b64(who.key.public.pem))


@CRYPTO.should(
    "3.22-pem-text",
    "a key as PEM text is taken",
    "take keys that begin with -----BEGIN as PEM",
)
async def _pem_text(probe: Probe) -> None:
    who = await probe.identity("carol")
    await probe.user("carol", pubkey=who.key.public.pem.decode())


@CRYPTO.must(
    "3.23-keys-compared-as-der",
    "a key that is written in another way is still the same key",
    "compare keys by the DER that you encode after parsing, never as text",
)
async def _compared_as_der(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = message(alice.who, bob.id, bob.who.key.public)
    padded = alice.who.key.public.text + "=" * (-len(alice.who.key.public.text) % 4)
    payload = {**said.payload, "sender_pub": padded}
    await alice.say("MSG_DIRECT", payload, to=bob.id, ts=said.ts)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)


# --- signatures of servers that are taken -------------------------------------------------------


async def _joins(probe: Probe, payload: dict[str, Any], sig: str) -> None:
    """This JOIN must be welcomed."""
    who = await probe.identity("north")
    link = await probe.connect("north")
    await say_first(link, who, "SERVER_HELLO_JOIN", payload, to="localhost:1", sig=sig)
    answer = await link.hears("SERVER_WELCOME", "ERROR")
    if answer.type == "ERROR":
        raise Breach(f"the JOIN was refused: {answer.gist()}")


@CRYPTO.must(
    "3.30-short-salt",
    "a signature with a salt of 32 bytes verifies",
    "verify with automatic salt length",
    needs=[Need.SERVERS],
)
async def _short_salt(probe: Probe) -> None:
    who = await probe.identity("north")
    payload = server_hello(who)
    sig = who.key.sign(canonical(payload), salt_bytes=SALT_SHORT_BYTES)
    await _joins(probe, payload, sig)


@CRYPTO.must(
    "3.31-unknown-members-signed",
    "the sig covers members that the server does not know",
    "verify over the payload as received, not over the members that you parsed",
    needs=[Need.SERVERS],
)
async def _unknown_members_signed(probe: Probe) -> None:
    who = await probe.identity("north")
    payload = {
        **server_hello(who),
        "x-conform": ["\u00e9\U0001f642", {"b": 1, "a": None}],
    }
    await _joins(probe, payload, who.key.sign(canonical(payload)))


@CRYPTO.should(
    "3.32-raw-utf8-verifies",
    "a signature over the raw UTF-8 form verifies",
    "try canonical JSON without escapes too, when verifying",
    needs=[Need.SERVERS],
)
async def _raw_utf8_verifies(probe: Probe) -> None:
    who = await probe.identity("north")
    payload = {**server_hello(who), "x-conform": "\u00e9"}
    await _joins(probe, payload, who.key.sign(raw_utf8(payload)))


@CRYPTO.should(
    "3.33-padded-sig",
    "a padded base64url sig verifies",
    "ignore padding in signatures",
    needs=[Need.SERVERS],
)
async def _padded_sig(probe: Probe) -> None:
    who = await probe.identity("north")
    payload = server_hello(who)
    await _joins(probe, payload, who.key.sign(canonical(payload)) + "=")


# --- content_sig, which a server verifies for posts ---------------------------------------------


_FORMS: Final = {
    "3.40-content-sig-raw": ("raw", "raw_ciphertext || from || ts"),
    "3.41-content-sig-text": ("text", "the base64url text of the ciphertext in its place"),
    "3.42-content-sig-digested": ("raw-digested", "SHA-256 of the concatenation"),
    "3.43-content-sig-text-digested": ("text-digested", "SHA-256 of the one with the text"),
    "3.44-content-sig-json": ("json", "canonical JSON of {ciphertext, from, to, ts}"),
}


def _takes_form(rule_id: str, form: str, what: str) -> None:
    level = CRYPTO.must if form == "raw" else CRYPTO.should

    @level(
        rule_id,
        f"a post whose content_sig is over {what} is taken",
        "accept each form of section 3; remember per sender which one matched",
        needs=[Need.THROW_AWAY],
    )
    async def _taken(probe: Probe) -> None:
        alice, bob = await probe.alice(), await probe.bob()
        raw, ts = secrets.token_bytes(RSA_BYTES), now_ms()
        signed = preimages.content_forms(raw, alice.id, "public", ts)[form]
        payload = {
            "ciphertext": b64(raw),
            "sender_pub": alice.who.key.public.text,
            "content_sig": alice.who.key.sign(signed),
        }
        await alice.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
        await bob.link.hears(
            "MSG_PUBLIC_CHANNEL", where=lambda f: f.get("ciphertext") == payload["ciphertext"]
        )


for _id, (_form, _over) in _FORMS.items():
    _takes_form(_id, _form, _over)


@CRYPTO.must(
    "3.45-content-sig-wrong",
    "a post whose content_sig does not verify is refused (INVALID_SIG) and reaches nobody",
    "verify the content_sig of posts under the author's pinned key before you pass them on",
)
async def _content_sig_wrong(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    raw, ts = secrets.token_bytes(RSA_BYTES), now_ms()
    payload = {
        "ciphertext": b64(raw),
        "sender_pub": alice.who.key.public.text,
        "content_sig": alice.who.key.sign(raw),
    }
    ref = preimages.msg_ref(raw, alice.id, "public", ts)
    await alice.says_wrong("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    await refused(alice.link, "INVALID_SIG", ref=ref)
    if bob.link.has("MSG_PUBLIC_CHANNEL", where=lambda f: f.get("ciphertext") == b64(raw)):
        raise Breach("it was passed on")
