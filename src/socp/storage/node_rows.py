"""The server's records as rows, and back."""

from __future__ import annotations

import hashlib
import time
from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from socp.crypto.rotation import KeyStep
from socp.node import records
from socp.storage import key_rows, mail_queries
from socp.storage import node_schema as tables
from socp.storage.dialect import insert_missing, upsert
from socp.storage.key_rows import KeyRows
from socp.storage.rows import Rows
from socp.wire import limits
from socp.wire.ids import PUBLIC

CREATOR: Final = "system"  # of the public channel (section 10)
MEMBER: Final = "member"

PUT_SERVER = upsert(tables.servers)
PUT_RULING = upsert(tables.rulings)
# The sealed private key and the verifier are not the brain's, and stay as they are.
PUT_USER = upsert(tables.users, keep=("privkey_store", "pake_password"))
PUT_HOME = upsert(tables.user_homes)
PUT_LOGIN = (
    update(tables.users)
    .where(tables.users.c.user_id == bindparam("owner"))
    .values(privkey_store=bindparam("box"), pake_password=bindparam("record"))
)
PUT_LOGIN_SETUP = upsert(tables.login_setup)
PUT_INVITATION = upsert(tables.invitations)
DROP_INVITATION = delete(tables.invitations).where(
    tables.invitations.c.code_hash == bindparam("gone")
)
DROP_USER = delete(tables.users).where(tables.users.c.user_id == bindparam("gone"))
DROP_HOME = delete(tables.user_homes).where(tables.user_homes.c.user_id == bindparam("gone"))
PUT_BARRED = upsert(tables.barred_users)
PUT_KEYS = key_rows.puts(tables.key_history, tables.revocations)
MAKE_GROUP = insert_missing(tables.groups)
PUT_GROUP_VERSION = upsert(tables.groups, update=("version",))
PUT_FRAME = insert_missing(tables.channel_frames)
PUT_SHARE = upsert(tables.channel_shares)
DROP_SHARE = delete(tables.channel_shares).where(
    tables.channel_shares.c.member_id == bindparam("member"),
    tables.channel_shares.c.version == bindparam("of_version"),
)
PUT_MEMBER = upsert(
    tables.group_members,
    update=("wrapped_key", "key_version"),
    where=lambda new: new.excluded.key_version >= tables.group_members.c.key_version,
)
DROP_SERVER = delete(tables.servers).where(tables.servers.c.server_id == bindparam("forgotten"))
DROP_RULING = delete(tables.rulings).where(tables.rulings.c.fingerprint == bindparam("forgotten"))
DROP_UNUSED_FRAMES = delete(tables.channel_frames).where(
    ~exists().where(tables.channel_shares.c.frame_digest == tables.channel_frames.c.digest)
)


class Batch:
    """Records on their way into one transaction. Only `forget` cares for what came before it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._now_ms = time.time_ns() // 1_000_000
        self._servers = Rows(PUT_SERVER)
        self._rulings = Rows(PUT_RULING)
        self._users = Rows(PUT_USER)
        self._users_gone: list[dict[str, str]] = []
        self._logins: dict[str, dict[str, str | None]] = {}
        self._login_setup = Rows(PUT_LOGIN_SETUP)
        self._invitations = Rows(PUT_INVITATION)
        self._invitations_gone: list[dict[str, str]] = []
        self._homes = Rows(PUT_HOME)
        self.keys = KeyRows(*PUT_KEYS)
        self._barred = Rows(PUT_BARRED)
        self._group = Rows(PUT_GROUP_VERSION)
        self._frames = Rows(PUT_FRAME)
        self._shares = Rows(PUT_SHARE)
        self._members = Rows(PUT_MEMBER)
        self._shares_gone: dict[tuple[str, int], dict[str, object]] = {}
        self._has_shares = False

    def pin(self, pin: records.ServerPin) -> None:
        self._servers.set(
            pin.server_id,
            {
                "server_id": pin.server_id,
                "pubkey": pin.pubkey,
                "host": pin.host,
                "port": pin.port,
                "origin": pin.origin.value,
                "features": list(pin.features),
                "pinned_ms": pin.pinned_ms,
            },
        )

    def ruling(self, ruling: records.Ruling) -> None:
        self._rulings.set(
            ruling.fingerprint,
            {
                "fingerprint": ruling.fingerprint,
                "verdict": ruling.verdict.value,
                "ruled_ms": ruling.ruled_ms,
            },
        )

    def account(self, account: records.Account) -> None:
        self._users.set(
            account.user_id,
            {
                "user_id": account.user_id,
                "pubkey": account.pubkey,
                "meta": {"display_name": account.display_name},
                "version": account.version,
                "local": account.local,
                "proven": account.proven,
                "features": list(account.features),
                "pinned_ms": account.pinned_ms,
            },
        )

    def account_gone(self, gone: records.AccountGone) -> None:
        self._users.drop(gone.user_id)
        self._homes.drop(gone.user_id)
        self._logins.pop(gone.user_id, None)
        self._users_gone.append({"gone": gone.user_id})

    def login(self, login: records.Login) -> None:
        self._logins[login.user_id] = {
            "owner": login.user_id,
            "box": login.box,
            "record": login.record,
        }

    def no_login(self, removed: records.LoginRemoved) -> None:
        self._logins[removed.user_id] = {"owner": removed.user_id, "box": None, "record": None}

    def login_setup(self, made: records.LoginSetup) -> None:
        self._login_setup.set(1, {"one": 1, "setup": made.setup})

    def invitation(self, made: records.Invitation) -> None:
        self._invitations.set(
            made.code_hash, {"code_hash": made.code_hash, "expires_ms": made.expires_ms}
        )

    def invitation_gone(self, gone: records.InvitationGone) -> None:
        """A code is made once: what is gone never comes again."""
        self._invitations.drop(gone.code_hash)
        self._invitations_gone.append({"gone": gone.code_hash})

    def home(self, home: records.Home) -> None:
        self._homes.set(
            home.user_id,
            {
                "user_id": home.user_id,
                "server_id": home.server_id,
                "attach_ts": home.attach_ts,
                "attach_sig": home.attach_sig,
                "features": list(home.features),
            },
        )

    def barred(self, barred: records.Barred) -> None:
        self._barred.set(barred.user_id, {"user_id": barred.user_id, "barred_ms": barred.barred_ms})

    def channel_version(self, heard: records.ChannelVersion) -> None:
        self._group.set(PUBLIC, self._public(heard.version))

    def share(self, share: records.ChannelShare) -> None:
        digest = hashlib.sha256(share.frame).digest()
        self._has_shares = True
        self._frames.set(digest, {"digest": digest, "frame": share.frame})
        self._shares_gone.pop((share.member_id, share.version), None)
        self._shares.set(
            (share.member_id, share.version),
            {
                "member_id": share.member_id,
                "version": share.version,
                "wrapped_key": share.wrapped_key,
                "creator_id": share.creator_id,
                "frame_digest": digest,
            },
        )
        earlier = self._members.get(share.member_id)
        if earlier is None or earlier["key_version"] <= share.version:
            self._members.set(
                share.member_id,
                {
                    "group_id": PUBLIC,
                    "member_id": share.member_id,
                    "role": MEMBER,
                    "wrapped_key": share.wrapped_key,
                    "added_at": self._now_ms,
                    "key_version": share.version,
                },
            )

    def share_gone(self, gone: records.ChannelShareGone) -> None:
        key = (gone.member_id, gone.version)
        self._shares.drop(key)
        self._shares_gone[key] = {"member": gone.member_id, "of_version": gone.version}

    def forget(self, forgotten: records.Forgotten) -> None:
        """Delete a server's pin and the ruling on its key: earlier ones only, so those go first."""
        self._servers.flush(self._connection)
        self._rulings.flush(self._connection)
        self._connection.execute(DROP_SERVER, {"forgotten": forgotten.server_id})
        self._connection.execute(DROP_RULING, {"forgotten": forgotten.fingerprint})

    def flush(self) -> None:
        """Write everything; what is referred to comes before what refers to it."""
        if self._has_shares:
            MAKE_GROUP.run(self._connection, [self._public(0)])
        if self._users_gone:  # first: who comes again stays
            self._connection.execute(DROP_USER, self._users_gone)
            self._connection.execute(DROP_HOME, self._users_gone)
            self._users_gone = []
        for rows in (
            self._servers,
            self._rulings,
            self._users,
            self._login_setup,
            self._invitations,
            self._homes,
            self.keys,
            self._barred,
            self._group,
            self._frames,
            self._shares,
            self._members,
        ):
            rows.flush(self._connection)
        if self._logins:
            self._connection.execute(PUT_LOGIN, list(self._logins.values()))
            self._logins.clear()
        if self._invitations_gone:
            self._connection.execute(DROP_INVITATION, self._invitations_gone)
            self._invitations_gone = []
        if self._shares_gone:
            self._connection.execute(DROP_SHARE, list(self._shares_gone.values()))
        if self._has_shares or self._shares_gone:
            self._connection.execute(DROP_UNUSED_FRAMES)
        self._shares_gone.clear()

    def _public(self, version: int) -> dict[str, object]:
        return {
            "group_id": PUBLIC,
            "creator_id": CREATOR,
            "created_at": self._now_ms,
            "meta": {},
            "version": version,
        }


def load(connection: Connection, now_ms: int) -> records.Remembered:
    """Everything, in the order of the keys."""
    version = select(tables.groups.c.version).where(tables.groups.c.group_id == PUBLIC)
    return records.Remembered(
        pins=_pins(connection),
        rulings=tuple(
            records.Ruling(row.fingerprint, records.Verdict(row.verdict), row.ruled_ms)
            for row in connection.execute(
                select(tables.rulings).order_by(tables.rulings.c.fingerprint)
            )
        ),
        accounts=_accounts(connection),
        homes=tuple(
            records.Home(
                row.user_id,
                row.server_id,
                row.attach_ts,
                row.attach_sig or "",
                tuple(row.features or ()),
            )
            for row in connection.execute(
                select(tables.user_homes).order_by(tables.user_homes.c.user_id)
            )
        ),
        shares=_shares(connection),
        channel_version=connection.execute(version).scalar_one_or_none() or 0,
        boxes=mail_queries.boxes(connection),
        posts=mail_queries.posts_held(connection),
        cursors=mail_queries.cursors(connection),
        recent_refs=mail_queries.recent_refs(connection, now_ms - records.RECENT_MS),
        mail_seq=mail_queries.last_seq(connection),
        logins=_logins(connection),
        login_setup=connection.execute(select(tables.login_setup.c.setup)).scalar_one_or_none()
        or b"",
        invitations=tuple(
            records.Invitation(row.code_hash, row.expires_ms)
            for row in connection.execute(
                select(tables.invitations).order_by(tables.invitations.c.code_hash)
            )
        ),
        key_steps=_key_steps(connection),
        revocations=key_rows.revocations(connection, tables.revocations),
        barred=tuple(
            records.Barred(row.user_id, row.barred_ms)
            for row in connection.execute(
                select(tables.barred_users).order_by(tables.barred_users.c.user_id)
            )
        ),
    )


def _key_steps(connection: Connection) -> tuple[KeyStep, ...]:
    """The last ones of each user, as many as are ever said; the older ones stay on the disk."""
    history, users = tables.key_history, tables.users
    wanted = (
        select(history)
        .join(users, history.c.user_id == users.c.user_id)
        .where(history.c.version >= users.c.version - limits.ROTATIONS_MAX)
        .order_by(history.c.user_id, history.c.version)
    )
    return key_rows.steps(connection, wanted)


def _pins(connection: Connection) -> tuple[records.ServerPin, ...]:
    return tuple(
        records.ServerPin(
            server_id=row.server_id,
            pubkey=row.pubkey,
            host=row.host,
            port=row.port,
            origin=records.PinOrigin(row.origin),
            features=tuple(row.features),
            pinned_ms=row.pinned_ms,
        )
        for row in connection.execute(select(tables.servers).order_by(tables.servers.c.server_id))
    )


def _accounts(connection: Connection) -> tuple[records.Account, ...]:
    return tuple(
        records.Account(
            user_id=row.user_id,
            pubkey=row.pubkey,
            version=row.version,
            local=row.local,
            proven=row.proven,
            features=tuple(row.features),
            display_name=row.meta.get("display_name", ""),
            pinned_ms=row.pinned_ms,
        )
        for row in connection.execute(select(tables.users).order_by(tables.users.c.user_id))
    )


def _logins(connection: Connection) -> tuple[records.Login, ...]:
    users = tables.users.c
    kept = select(users.user_id, users.pake_password, users.privkey_store)
    kept = kept.where(users.pake_password.is_not(None), users.privkey_store.is_not(None))
    return tuple(
        records.Login(row.user_id, row.pake_password, row.privkey_store)
        for row in connection.execute(kept.order_by(users.user_id))
    )


def _shares(connection: Connection) -> tuple[records.ChannelShare, ...]:
    shares, frames = tables.channel_shares, tables.channel_frames
    # One bytes object for all the shares of a frame.
    by_digest = {row.digest: row.frame for row in connection.execute(select(frames))}
    return tuple(
        records.ChannelShare(
            member_id=row.member_id,
            version=row.version,
            wrapped_key=row.wrapped_key,
            creator_id=row.creator_id,
            frame=by_digest[row.frame_digest],
        )
        for row in connection.execute(select(shares).order_by(shares.c.member_id, shares.c.version))
    )
