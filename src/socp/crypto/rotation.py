"""Keys that follow each other: each step is signed by the old key and by the new one (section 10;
threats I9, I10; docs/protocol.md).

The old key says who comes after it, so that nobody else can; the new one says whom it follows, so
that nobody can make another's key their own predecessor or successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from socp.crypto import signing
from socp.crypto.fields import id_bytes, ts_bytes
from socp.crypto.keys import PrivateKey, PublicKey, Suite
from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import Revoked, Rotation

FIRST_VERSION: Final = 1


class Unfollowed(Exception):
    """A chain that does not lead where it says; the text says why."""


@dataclass(frozen=True, slots=True)
class KeyStep:
    """One key of a user, and how its predecessor vouched for it. Key: (user_id, version)."""

    user_id: str
    version: int
    pubkey: str  # base64url DER, our encoding
    # Since when it is theirs, Unix ms; 0 where it was pinned on nobody's word. With a `ts`, but no
    # `sig`, it took the place of all before it on the word of whoever keeps this.
    ts: int
    sig: str  # by the key before it; "" where it was pinned on nobody's word
    new_sig: str  # its own, over whom it follows
    follows: str = ""  # fingerprint of the key before it; "" where it was pinned on nobody's word

    @property
    def rotation(self) -> Rotation:
        """As it goes on the wire."""
        return Rotation(
            pubkey=self.pubkey,
            follows=self.follows,
            version=self.version,
            ts=self.ts,
            sig=self.sig,
            new_sig=self.new_sig,
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """A user's last word, by any key of theirs: the id is dead, for ever. Key: user_id."""

    user_id: str
    pubkey: str  # base64url DER, our encoding: who says so
    version: int  # of that key
    ts: int  # Unix ms
    sig: str

    @property
    def revoked(self) -> Revoked:
        """As it goes on the wire."""
        return Revoked(pubkey=self.pubkey, version=self.version, ts=self.ts, sig=self.sig)


# --- what is signed ---------------------------------------------------------------------------


def rotate_text(user_id: str, old: str, new: str, version: int, ts: int) -> bytes:
    """What the old key signs; `old` and `new` are fingerprints, `version` is the new key's."""
    return b"socp-rotate/1" + _step_bytes(user_id, old, new, version, ts)


def rotate_new_text(user_id: str, old: str, new: str, version: int, ts: int, sig: str) -> bytes:
    """What the new key signs, of the same step: with the old key's word, so that the whole step is
    its own even to somebody who never had the old key."""
    said = signing.signature_bytes(sig)
    if said is None:
        raise PeerFault(Code.BAD_FRAME, "sig of a rotation is no signature")
    return b"socp-rotate-new/1" + _step_bytes(user_id, old, new, version, ts) + said


def revoke_text(user_id: str, fingerprint: str, version: int, ts: int) -> bytes:
    """What a key signs that revokes its id; `version` is that key's."""
    return b"socp-revoke/1" + id_bytes(user_id) + _last_bytes(fingerprint, version, ts)


def _step_bytes(user_id: str, old: str, new: str, version: int, ts: int) -> bytes:
    return id_bytes(user_id) + old.encode() + _last_bytes(new, version, ts)


def _last_bytes(fingerprint: str, version: int, ts: int) -> bytes:
    """One reading only: 64 digits, then all but the last 13, then 13 (threat M6)."""
    return fingerprint.encode() + b"%d" % version_of(version) + ts_bytes(ts)


def version_of(version: int) -> int:
    """PeerFault(BAD_FRAME) for what no key's version can be."""
    if not FIRST_VERSION <= version <= limits.KEY_VERSION_MAX:
        raise PeerFault(
            Code.BAD_FRAME, f"key version {version}; they go from 1 to {limits.KEY_VERSION_MAX}"
        )
    return version


# --- making -----------------------------------------------------------------------------------


def rotate(user_id: str, old: PrivateKey, new: PrivateKey, version: int, ts: int) -> KeyStep:
    """The statement of both keys; `version` is the new one's. Costs two signatures."""
    before, after = old.public.fingerprint, new.public.fingerprint
    sig = signing.sign(old, rotate_text(user_id, before, after, version, ts))
    return KeyStep(
        user_id=user_id,
        version=version,
        pubkey=new.public.text,
        ts=ts,
        sig=sig,
        new_sig=signing.sign(new, rotate_new_text(user_id, before, after, version, ts, sig)),
        follows=before,
    )


def revoke(user_id: str, key: PrivateKey, version: int, ts: int) -> Revocation:
    """The last word of `key`, which is of this version."""
    sig = signing.sign(key, revoke_text(user_id, key.public.fingerprint, version, ts))
    return Revocation(user_id, key.public.text, version, ts, sig)


# --- judging ----------------------------------------------------------------------------------


def check_shape(chain: Sequence[Rotation], latest_ts: int) -> None:
    """What costs no RSA. Raises Unfollowed. `latest_ts`: no statement is from later (Unix ms)."""
    if not 0 < len(chain) <= limits.ROTATIONS_MAX:
        raise Unfollowed(f"a chain has 1 to {limits.ROTATIONS_MAX} steps")
    version, ts = chain[0].version - 1, 0
    if version < FIRST_VERSION or chain[-1].version > limits.KEY_VERSION_MAX:
        raise Unfollowed(f"versions go from 2 to {limits.KEY_VERSION_MAX} in a chain")
    for step in chain:
        if step.version != version + 1:
            raise Unfollowed("its versions do not count up by one")
        if step.ts <= ts or step.ts > latest_ts or len(str(step.ts)) != limits.TS_DIGITS:
            raise Unfollowed("its times do not grow, or lie ahead")
        if None in (signing.signature_bytes(step.sig), signing.signature_bytes(step.new_sig)):
            raise Unfollowed("a signature in it cannot be one")
        version, ts = step.version, step.ts


def follow(
    suite: Suite,
    user_id: str,
    pinned: PublicKey,
    after_version: int,
    chain: Sequence[Rotation],
    latest_ts: int,
    after_ts: int = 0,
) -> tuple[KeyStep, ...]:
    """The steps that lead from the pinned key to the end of `chain`, each one verified.

    `after_version` and `after_ts`: the pinned key's, as far as known; a chain never leads back to
    it or before, and its times go on growing.
    Raises Unfollowed; at most two verifications a step, and none before all that is cheap.
    """
    check_shape(chain, latest_ts)
    keys = _keys(suite, chain)
    start = keys.index(pinned) + 1 if pinned in keys else 0
    rest = chain[start:]
    if not rest or rest[0].version <= after_version:
        raise Unfollowed("it leads to a former key")
    if rest[0].ts <= after_ts:
        raise Unfollowed("its times do not grow")
    return _verified(user_id, pinned, keys[start:], rest)


def introduced(
    suite: Suite, user_id: str, key: PublicKey, chain: Sequence[Rotation], latest_ts: int
) -> tuple[KeyStep, ...]:
    """The steps of a chain that ends at `key`, of a user whom nobody pinned yet.

    Its first key says itself whom it followed, and with which word of that key; the others must
    follow it. So nobody but the owner says which version a key has. Raises Unfollowed.
    """
    check_shape(chain, latest_ts)
    keys = _keys(suite, chain)
    if keys[-1] != key:
        raise Unfollowed("it leads to another key")
    if not _new_key_holds(user_id, keys[0], chain[0]):
        raise Unfollowed("its first key does not say whom it followed")
    return (_kept(user_id, keys[0], chain[0]), *_verified(user_id, keys[0], keys[1:], chain[1:]))


def _keys(suite: Suite, chain: Sequence[Rotation]) -> list[PublicKey]:
    try:
        keys = [suite.parse_public(step.pubkey) for step in chain]
    except PeerFault as fault:
        raise Unfollowed(f"a key in it is damaged ({fault.detail})") from None
    if len({key.fingerprint for key in keys}) != len(keys):
        raise Unfollowed("it comes back to a key that it left")
    return keys


def _verified(
    user_id: str, old: PublicKey, keys: Sequence[PublicKey], chain: Sequence[Rotation]
) -> tuple[KeyStep, ...]:
    steps = []
    for key, step in zip(keys, chain, strict=True):
        if not step_holds(user_id, old, key, step):
            raise Unfollowed(f"the step to version {step.version} is not signed by both keys")
        steps.append(_kept(user_id, key, step))
        old = key
    return tuple(steps)


def _kept(user_id: str, key: PublicKey, step: Rotation) -> KeyStep:
    said = (step.ts, step.sig, step.new_sig, step.follows)
    return KeyStep(user_id, step.version, key.text, *said)


def step_holds(user_id: str, old: PublicKey, new: PublicKey, step: Rotation) -> bool:
    """Whether both keys signed this step. Never raises."""
    if step.follows != old.fingerprint:
        return False
    try:
        said = rotate_text(user_id, step.follows, new.fingerprint, step.version, step.ts)
    except PeerFault:
        return False
    return signing.verify(old, step.sig, said) and _new_key_holds(user_id, new, step)


def _new_key_holds(user_id: str, new: PublicKey, step: Rotation) -> bool:
    """Whether the new key signed this step, whatever the old one did. Never raises."""
    facts = (user_id, step.follows, new.fingerprint, step.version, step.ts, step.sig)
    try:
        own = rotate_new_text(*facts)
    except PeerFault:
        return False
    return signing.verify(new, step.new_sig, own)


def revocation_holds(user_id: str, key: PublicKey, said: Revoked) -> bool:
    """Whether `key`, which `said` names, signed it. Never raises."""
    try:
        text = revoke_text(user_id, key.fingerprint, said.version, said.ts)
    except PeerFault:
        return False
    return signing.verify(key, said.sig, text)


def precedes(
    suite: Suite, user_id: str, former: PublicKey, pinned: PublicKey, chain: Sequence[Rotation]
) -> bool:
    """Whether `former` is a key before `pinned` in a chain that both signed step by step.

    The pinned key itself says whom it follows, so nobody can claim to have come before it.
    """
    try:
        keys = _keys(suite, chain)
    except Unfollowed:
        return False
    if pinned not in keys:
        return False
    end = keys.index(pinned) + 1
    start = keys.index(former) + 1 if former in keys[:end] else 0
    try:
        return bool(_verified(user_id, former, keys[start:end], chain[start:end]))
    except Unfollowed:
        return False


def is_theirs(
    suite: Suite,
    user_id: str,
    key: PublicKey,
    known: Sequence[PublicKey],
    chain: Sequence[Rotation],
) -> bool:
    """Whether somebody ever had this key: it is one of the `known`, their present one first, came
    before that one in `chain`, or follows any of them there (a thief may have said another
    rotation of the same key first)."""
    return (
        key in known
        or precedes(suite, user_id, key, known[0], chain)
        or any(precedes(suite, user_id, each, key, chain) for each in known)
    )
