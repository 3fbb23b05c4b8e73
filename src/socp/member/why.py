"""Why something that came is not shown as a message."""

from __future__ import annotations

from enum import Enum


class Why(Enum):
    """The value is what the person reads: what is wrong with it, and what to do."""

    NOT_THEIRS = (
        "it is not signed with the key that is known for them; whoever sent it may not be them: "
        "ask them another way, and compare what /whois shows"
    )
    SIGNED_BY_NOBODY = (
        "it is from somebody whose key nobody knows, and the key it brings did not sign it"
    )
    OTHERS_WORDS = (
        "its ciphertext came from somebody else before: they pass another's words off as theirs"
    )
    UNREADABLE = "it is not encrypted for you, or was changed on the way; ask them to send it again"
    NO_CHANNEL_KEY = (
        "it is encrypted with a key of the public channel that you were not given; ask somebody who"
        " could read it to post again while you are both online"
    )
    DOWNGRADED = (
        "it came as a plain v1.3 message although their client signed that it has hybrid/1:"
        " somebody may have taken that out on the way; ask them to connect again and to repeat it"
    )
    NOT_SIGNED = (
        "nobody signed it although their client signs what it sends: a server may have made it in"
        " their name; ask them whether they sent it"
    )
    NOT_TEXT = "what it says is not text; their client may be newer than yours"
    CLEAR_UNSIGNED = "it is not encrypted and nobody signed it: anyone may have written it"
    REVOKED = "they revoked their id, so whoever uses it may be a thief; ask them for their new one"
    TOO_OLD = (
        "it is more than three months old and never came before: a server may repeat what you read"
        " on another machine; ask them whether they said it just now"
    )
    NO_ROOM = "too many messages wait for keys; ask them to send it again in a minute"
