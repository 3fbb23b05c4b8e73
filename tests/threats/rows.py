"""The table of threats: who attacks what, and what stops them. `script/threats` makes the page of
these rows and the tests that carry their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Who(IntEnum):
    """Who attacks; the texts are the page's."""

    STRANGER = 1
    USER = 2
    ON_THE_WAY = 3
    LINKED_SERVER = 4
    OWN_SERVER = 5
    THIEF = 6
    WEB_PAGE = 7
    LOOK_ALIKE = 8


WHO = {
    Who.STRANGER: "a stranger who can reach the port",
    Who.USER: "a registered user",
    Who.ON_THE_WAY: "somebody on the network's path",
    Who.LINKED_SERVER: "a linked server that turned bad",
    Who.OWN_SERVER: "the user's own server, turned bad",
    Who.THIEF: "a thief of a disk, the server's or a laptop's",
    Who.WEB_PAGE: "a web page open in the same browser",
    Who.LOOK_ALIKE: "a person who looks like another",
}
EVERYBODY = tuple(Who)
NOBODY: tuple[Who, ...] = ()  # no attacker is needed: machines fail by themselves


@dataclass(frozen=True)
class Row:
    """`id` as in the marks of tests: `threat("I1")`."""

    id: str
    attack: str
    by: tuple[Who, ...]
    stopped_by: str


IDENTITY = (
    Row(
        "I1",
        "saying hello with somebody's id and no proof: to squat it, take its mail, or lock its owner out by NAME_IN_USE",
        (Who.STRANGER,),
        "an id is pinned to its key; our clients prove the key by `link-auth/1` before anything is handed out, and who proved once must prove again",
    ),
    Row(
        "I2",
        "another user's id in `from`, or another key in `sender_pub`, of a message",
        (Who.USER,),
        "`from` is the link's own user and `sender_pub` its pinned key; readers verify by the key they pinned, never by the one that came along",
    ),
    Row(
        "I3",
        "USER_ADVERTISE for somebody else's user, or with another key, so that mail goes to the thief",
        (Who.LINKED_SERVER,),
        "a claim counts from the server that it names alone, signed by it; a pinned user moves only by their own signed word",
    ),
    Row(
        "I4",
        "SERVER_ANNOUNCE or a hello with another server's id",
        (Who.STRANGER, Who.LINKED_SERVER),
        "an id is pinned to its key; `link-auth/1` asks for a proof, and a link without it is handed nothing and changes nothing",
    ),
    Row(
        "I5",
        "a dead socket kept open to lock its owner out",
        (Who.USER, Who.ON_THE_WAY),
        "a proof of the same key, with a ping that the old link does not answer, replaces that link",
    ),
    Row(
        "I6",
        "RSA keys that are too short, have another exponent or known factors, giant moduli, or no RSA at all",
        (Who.STRANGER,),
        "4096 bits, e = 65537 and an odd modulus, no other; the DER's length is bounded before it is parsed",
    ),
    Row(
        "I7",
        "two texts of one key (padding, PEM line ends) taken for two identities",
        (Who.USER,),
        "keys are compared by the DER that we write ourselves",
    ),
    Row(
        "I8",
        "look-alike names, control and direction characters, escape sequences in names and messages",
        (Who.USER, Who.LOOK_ALIKE),
        "a name is a label beside an id; control characters are shown, not obeyed; mixed scripts are pointed out; nothing that others wrote is read as markup",
    ),
    Row(
        "I9",
        "a server that hands out a wrong key for a contact",
        (Who.OWN_SERVER,),
        "the first key seen is pinned, another one blocks and is told loudly; safety numbers and QR codes; wraps go to pinned keys alone",
    ),
    Row(
        "I10",
        "taking an account over by replacing its key",
        (Who.USER, Who.OWN_SERVER),
        "a new key is signed by the old one; who lost the key is somebody new, and shown as such",
    ),
    Row(
        "I11",
        "waiting until a user's home removed them, claiming them with their public key, and swallowing their mail",
        (Who.LINKED_SERVER,),
        "a claim without the user's own word never moves a home, and mail stays there until the reader's client acknowledged it",
    ),
)

MESSAGES = (
    Row(
        "M1",
        "`sig` covers the payload alone: the same payload under another type, recipient or time",
        (Who.ON_THE_WAY, Who.LINKED_SERVER),
        "`bind/1`; without it content signatures and the dedup limit the harm, and the client says what was not verified",
    ),
    Row(
        "M2",
        "saying a message, a file, a key share, an ADVERTISE or a REMOVE again, minutes or months later",
        (Who.ON_THE_WAY, Who.LINKED_SERVER, Who.OWN_SERVER),
        "a table of what was seen, a window of time, message names that clients keep for ever, versions that only grow",
    ),
    Row(
        "M3",
        "A's words re-encrypted or re-addressed by B, so that C believes A wrote to C",
        (Who.USER, Who.LINKED_SERVER),
        "the content signature covers from and to; `hybrid/1` binds the reader's key inside the seal too",
    ),
    Row(
        "M4",
        "another author: the content signature stripped and the same ciphertext signed by somebody else",
        (Who.USER, Who.OWN_SERVER),
        "the author stands inside the seal of `hybrid/1`; digests of ciphertexts are remembered for each reader; plain messages are marked, and never quoted by themselves",
    ),
    Row(
        "M5",
        "chunks of a file swapped, dropped, reordered or cut; another name, size or hash; names that are paths, links, overwriting",
        (Who.USER, Who.OWN_SERVER),
        "the manifest is signed, each chunk is bound to its file and place; a private file gets its name when all is there and right, and never another's place",
    ),
    Row(
        "M6",
        "one signed text that can be cut into fields in two ways",
        (Who.USER,),
        "every field has one width, or is refused",
    ),
    Row(
        "M7",
        "JSON that two parsers read in two ways: repeated members, NaN, large numbers, lone surrogates",
        EVERYBODY,
        "a strict parser refuses them all; signatures are verified over the bytes' own canonical form",
    ),
    Row(
        "M8",
        "learning from errors what a ciphertext holds",
        (Who.USER,),
        "whatever does not open looks the same to its sender: nothing goes back",
    ),
    Row(
        "M9",
        "features stripped from a hello, so that traffic is unproven, unbound or weaker",
        (Who.ON_THE_WAY, Who.OWN_SERVER),
        "what a pinned peer once proved is asked for from then on, and the client says so",
    ),
    Row(
        "M10",
        "a server that injects a key of the public channel which it knows, or an old one",
        (Who.LINKED_SERVER, Who.OWN_SERVER),
        "versions come from shares that members signed; a key that no pinned member signed is not used for sending",
    ),
    Row(
        "M11",
        "a server that picks a login nonce which is something else's signed text",
        (Who.OWN_SERVER,),
        "each signed text begins with its own label and holds both sides' nonces; nothing is signed that one side chose alone",
    ),
    Row(
        "M12",
        "a server that drops, holds back or swaps messages",
        (Who.OWN_SERVER,),
        "`content/1` numbers them; a gap is shown with its times until it is healed",
    ),
    Row(
        "M13",
        "a huge version that wedges the public channel",
        (Who.USER, Who.LINKED_SERVER),
        "versions may jump so far and no farther",
    ),
    Row(
        "M14",
        "an ACK injected on a plain link, which deletes mail",
        (Who.ON_THE_WAY,),
        "with `bind/1` an ACK needs a signature that holds",
    ),
    Row(
        "M15",
        "`hybrid/1` or another feature stripped from a user's ADVERTISE by a server",
        (Who.LINKED_SERVER, Who.OWN_SERVER),
        "a user signs their features with the statement of where they are, and clients pin those",
    ),
)

SERVICE = (
    Row(
        "S1",
        "silent sockets, a byte a minute, fragments that never end",
        (Who.STRANGER,),
        "10 s to the first frame, time and size for each message, so many connections for each address",
    ),
    Row(
        "S2",
        "readers that never read, so that a fan-out fills the memory",
        (Who.USER,),
        "4 MiB of queued output for each link; who does not keep up is cut off and delays nobody",
    ),
    Row(
        "S3",
        "floods: hellos that each cost RSA or a broadcast, joins, errors that answer errors, questions",
        (Who.STRANGER, Who.USER),
        "a budget for each link and address; work before proof is cheap; no answer to an answer",
    ),
    Row(
        "S4",
        "1 MiB of `[[[[`, huge strings, lists without end, compressed bombs",
        (Who.STRANGER,),
        "size before parsing, bounds on depth and count, no compression",
    ),
    Row(
        "S5",
        "memory by names: ids, what was seen, keys, half files, mailboxes without end",
        (Who.STRANGER, Who.USER, Who.LINKED_SERVER),
        "every table has a bound, and lets go of what cannot hurt the honest",
    ),
    Row(
        "S6",
        "storms and loops of gossip: forged news in a stream, two servers that echo each other",
        (Who.LINKED_SERVER,),
        "the origin is checked, what was seen is dropped, each server has a budget; a bad peer is cut off for a while, and the log says why",
    ),
    Row(
        "S7",
        "clocks that are wrong or jump; a time far ahead that would stay the newest for ever",
        EVERYBODY,
        "windows by the server's own time, waits by a clock that never jumps, order of one author never by time alone",
    ),
    Row(
        "S8",
        "a kill, a full or read-only disk, a broken database, a half-written key file, at any moment",
        NOBODY,
        "keys are written beside, synced and renamed; mail is acknowledged after the commit alone; what a disk does not take is refused with the reason; a start looks through what is there",
    ),
    Row(
        "S9",
        "no file descriptors left, a port in use, name servers and peers that never answer",
        (Who.STRANGER, Who.LINKED_SERVER),
        "accepting pauses, messages name the remedy, every wait has an end",
    ),
    Row(
        "S10",
        "a mesh that falls apart and heals, after both halves changed",
        NOBODY,
        "each fact has one owner, the user's home server; directories agree again after the healing, as the simulator shows",
    ),
    Row(
        "S11",
        "1 MiB of `{},` becomes 24 MiB of objects, times the connections of people who never said who they are",
        (Who.STRANGER,),
        "64 KiB until they did, and a budget for the whole process that admission respects",
    ),
    Row(
        "S12",
        "a frame that our peers refuse and that we passed on: we are cut off for another's fault",
        (Who.LINKED_SERVER,),
        "what we would refuse we never pass on",
    ),
)

MACHINES = (
    Row(
        "P1",
        "a web page that opens ws://localhost from the user's browser, as a user or as a server",
        (Who.WEB_PAGE,),
        "Origin and Host are checked; loopback alone by default; pages of our own origin and configured ones",
    ),
    Row(
        "P2",
        "script in names, messages and files that a web client shows",
        (Who.USER,),
        "text nodes alone, a strict Content-Security-Policy, downloads as attachments",
    ),
    Row(
        "P3",
        "a stolen disk of a server",
        (Who.THIEF,),
        "the key is 0600, sealed or in memory alone; mail is ciphertext; there are no passwords, and guessing is slow",
    ),
    Row(
        "P4",
        "a stolen laptop",
        (Who.THIEF,),
        "keys and history are sealed (Argon2id, AES-256-GCM); a key is replaced or ended from elsewhere",
    ),
    Row(
        "P5",
        "logs and reports that hold keys, texts or tokens",
        (Who.OWN_SERVER, Who.THIEF),
        "secrets have no text form; a test reads every log of the whole run for keys and plaintext",
    ),
    Row(
        "P6",
        "a bad dependency or build",
        NOBODY,
        "few dependencies, each with its reason, pinned with hashes; only wheels are installed, so nothing runs while it is",
    ),
)

TABLES = {
    "Attacks on identity": IDENTITY,
    "Attacks on messages": MESSAGES,
    "Attacks on service": SERVICE,
    "Attacks on people's machines": MACHINES,
}
ROWS = {row.id: row for rows in TABLES.values() for row in rows}
assert len(ROWS) == sum(len(rows) for rows in TABLES.values()), "a row's name is used twice"
