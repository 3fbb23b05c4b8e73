"""Every bound, the protocol's (section 12) and our own, with its unit in its name."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * 1024

FRAME_BYTES: Final = MIB
FRAME_BYTES_UNIDENTIFIED: Final = 64 * KIB
HOP_BYTES: Final = 8 * KIB  # of a frame are left to the next hop by servers, twice that by users
FRAME_VALUES: Final = 50_000
FRAME_LEVELS: Final = 16
INTEGER_MAX: Final = 2**53 - 1

TS_WINDOW_MS: Final = 5 * 60_000
TS_DIGITS: Final = 13
LATE_MS: Final = 30 * 24 * 3_600_000  # how old a late send may be (section 11)

FIRST_FRAME_S: Final = 10
PROOF_S: Final = 10
PING_S: Final = 5
HEARTBEAT_S: Final = 15
SILENCE_S: Final = 45

USER_FRAMES_BURST: Final = 120
USER_FRAMES_PER_S: Final = 30
USER_BYTES_BURST: Final = 2 * MIB
USER_BYTES_PER_S: Final = 4 * MIB
FILE_FRAME_COST_BYTES: Final = 12 * KIB  # of that rate at the least: each hop signs each frame
CONNECTIONS_PER_ADDRESS: Final = 64
HELLOS_PER_S: Final = 5

OUTBOX_BYTES: Final = 4 * MIB
OUTBOX_STALL_S: Final = 30

RECONNECT_FIRST_S: Final = 1
RECONNECT_MAX_S: Final = 60
RECONNECT_MAX_LOOPBACK_S: Final = 2

GOSSIP_BEAT_S: Final = 14  # of the 15 s in which what was lost is healed, one is for two answers
LINKS_TOLD: Final = 1_000  # servers a HEARTBEAT names

CROWD_FEW: Final = 32  # clients without presence/1 who hear of everybody at once; more wait a tick
WATCHED: Final = 1_000  # users one client hears of with presence/1
WATCHED_A_FRAME: Final = 25  # so many that are new in its list count as one frame more

LIST_PAGE: Final = 1_500  # users in one frame, with their names
LIST_ROWS: Final = 10_000
ROTATIONS_MAX: Final = 5  # of one user, said at a time: 2.2 kB each, and an ADVERTISE has 16
KEY_VERSION_MAX: Final = 1_000
WELCOME_CLIENTS: Final = 500
ERROR_DETAIL_CHARS: Final = 500
FEATURES_MAX: Final = 32
META_BYTES: Final = 4 * KIB

HTTP_BODY_BYTES: Final = 64 * KIB
HTTP_REQUESTS_BURST: Final = 60  # an address
HTTP_REQUESTS_PER_S: Final = 10
LOGIN_TRIES_BURST: Final = 5  # an account, and an address
LOGIN_TRIES_PER_MIN: Final = 1
INVITATION_CHARS: Final = 64
INVITATION_DAYS: Final = 7
INVITATION_DAYS_MAX: Final = 365
INVITATIONS_AT_ONCE: Final = 1000

OAEP_PLAINTEXT_BYTES: Final = 446
RSA_BYTES: Final = 512
SESSION_MS: Final = 24 * 3_600_000  # how long a session key may sign (section 11, `fast-sig/1`)
FAST_KEY_BYTES: Final = 32
FAST_KEY_CHARS: Final = 44  # 43 in base64url, and the "=" of those who pad
FAST_SIG_BYTES: Final = 64
KEY_TEXT_CHARS: Final = 4096

FILE_BYTES: Final = 1024 * MIB
FILE_BYTES_V13: Final = 16 * MIB
FILE_CHUNK_BYTES: Final = 256 * KIB
FILE_CHUNK_BYTES_V13: Final = 400
FILE_BYTES_PER_S: Final = MIB

MEMORY_BYTES: Final = 1024 * MIB  # what a whole server may take, and what at least it needs
MEMORY_BYTES_MIN: Final = 160 * MIB

MAILBOX_MESSAGES: Final = 10_000
MAILBOX_BYTES: Final = 64 * MIB
MAILBOX_DAYS: Final = 30
MAILBOXES_BYTES: Final = 16 * 1024 * MIB  # of all mailboxes of one server
POSTS: Final = 10_000
POSTS_BYTES: Final = 64 * MIB

CHANNEL_KEYS_SAID: Final = 8  # of one version: two halves made one each, seldom more
CHANNEL_VERSION_JUMP: Final = 1000
CHANNEL_VERSION_FIRST: Final = 1_000_000  # the first one heard of: any mesh may be that old

TYPE_CHARS: Final = 64
ADDRESSEE_CHARS: Final = 300  # an id, or "host:port" with the longest host name
