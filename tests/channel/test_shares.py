"""Which keys are taken, and which one is used for sending (section 7; threats M10, M13)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from socp.channel.keyring import KEYS_KEPT
from socp.channel.outcomes import CreatorUnknown, KeyLearned, ShareRefused
from socp.channel.quota import KEYS_PER_AUTHOR, WINDOW_MS
from socp.crypto import channel_box, content_sig
from socp.wire import base64url
from socp.wire.canonical import to_members
from socp.wire.payloads import PublicChannelKeyShare, Share
from tests.channel.bench import ALICE, BOB, MALLORY, ME, Bench, bench


@pytest.fixture
def mine() -> Bench:
    return bench()


@pytest.mark.spec("7")
def test_a_share_by_a_pinned_member_becomes_the_key_for_sending(mine: Bench) -> None:
    key = mine.group(1)
    outcome = mine.hears(mine.share(key))
    assert isinstance(outcome, KeyLearned)
    assert (outcome.key.version, outcome.key.creator_id) == (1, ALICE)
    assert outcome.key.box == key.box
    assert mine.machine.sending_key() == outcome.key


@pytest.mark.spec("7")
def test_a_key_that_is_held_already_is_not_learned_again(mine: Bench) -> None:
    key = mine.group(1)
    mine.learns(key)
    assert mine.hears(mine.share(key, BOB), BOB) is None


@pytest.mark.spec("7")
def test_of_two_keys_of_one_version_the_lower_fingerprint_sends_and_both_read(mine: Bench) -> None:
    keys = [mine.group(1) for _ in range(3)]
    for key in keys:
        mine.learns(key)
    lowest = min(key.fingerprint for key in keys)
    sending = mine.machine.sending_key()
    assert sending is not None
    assert sending.fingerprint == lowest
    assert {key.fingerprint for key in mine.machine.reading_keys()} == {
        key.fingerprint for key in keys
    }


@pytest.mark.spec("7")
def test_the_highest_version_sends_whatever_its_fingerprint(mine: Bench) -> None:
    for version in (1, 3, 2):
        mine.learns(mine.group(version))
    assert [key.version for key in mine.machine.reading_keys()] == [3, 2, 1]
    assert mine.machine.highest_version == 3


@pytest.mark.spec("7")
def test_the_key_that_an_author_used_last_is_tried_first(mine: Bench) -> None:
    old, new = mine.group(1), mine.group(2)
    mine.learns(old)
    mine.learns(new)
    mine.machine.held_by(BOB, old.fingerprint, mine.now)
    assert [key.version for key in mine.machine.reading_keys(BOB)] == [1, 2]
    assert [key.version for key in mine.machine.reading_keys(ALICE)] == [2, 1]


@pytest.mark.spec("7")
def test_an_author_who_goes_back_to_an_older_key_is_followed(mine: Bench) -> None:
    old, new = mine.group(1), mine.group(2)
    mine.learns(old)
    mine.learns(new)
    for key in (old, new, old):
        mine.machine.held_by(BOB, key.fingerprint, mine.now)
        assert mine.machine.reading_keys(BOB)[0].fingerprint == key.fingerprint


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_an_old_version_that_a_server_hands_out_again_is_not_used_for_sending(mine: Bench) -> None:
    old, new = mine.group(1), mine.group(2)
    mine.learns(new)
    mine.learns(old)
    sending = mine.machine.sending_key()
    assert sending is not None
    assert sending.fingerprint == new.fingerprint


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_share_by_somebody_who_is_not_pinned_waits_for_their_key(mine: Bench) -> None:
    payload = mine.share(mine.group(1))
    assert mine.hears(payload, pinned=False) == CreatorUnknown(ALICE)
    assert mine.machine.sending_key() is None
    assert isinstance(mine.hears(payload), KeyLearned)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_share_made_with_another_key_than_the_pinned_one_is_refused(mine: Bench) -> None:
    payload = mine.share(mine.group(9), MALLORY)
    assert isinstance(mine.hears(payload, ALICE), ShareRefused)
    assert mine.machine.sending_key() is None


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_share_that_names_a_pinned_creator_without_their_signature_is_refused(
    mine: Bench,
) -> None:
    forged = mine.share(mine.group(9), MALLORY)
    payload = replace(forged, creator_pub=mine.keys[ALICE].public.text)
    assert isinstance(mine.hears(payload, ALICE), ShareRefused)
    assert mine.machine.sending_key() is None


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_wrap_that_a_server_put_into_a_signed_share_is_refused(mine: Bench) -> None:
    honest, known = mine.share(mine.group(1)), mine.group(1)
    wrapped = base64url.encode(mine.me.public.seal(known.group_key))
    swapped = replace(
        honest,
        shares=(Share(member=ME, wrapped_public_channel_key=wrapped),),
        channel_pub=known.public.text,
        channel_priv_box=base64url.encode(known.box),
    )
    assert isinstance(mine.hears(swapped), ShareRefused)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_box_that_a_server_exchanged_does_not_open(mine: Bench) -> None:
    honest, known = mine.share(mine.group(1)), mine.group(1)
    exchanged = replace(
        honest,
        channel_pub=known.public.text,
        channel_priv_box=base64url.encode(known.box),
    )
    assert isinstance(mine.hears(exchanged), ShareRefused)
    assert mine.machine.sending_key() is None


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_public_half_that_is_not_the_one_in_the_box_is_refused(mine: Bench) -> None:
    honest = mine.share(mine.group(1))
    assert isinstance(
        mine.hears(replace(honest, channel_pub=mine.suite.generate().public.text)), ShareRefused
    )


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_box_sealed_for_another_public_half_by_a_member_is_refused(mine: Bench) -> None:
    key, other = mine.group(1), mine.group(1)
    box = channel_box.seal_private(mine.suite, key.group_key, other.private, 1)
    payload = replace(mine.share(key), channel_priv_box=base64url.encode(box))
    assert isinstance(mine.hears(payload), ShareRefused)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
@pytest.mark.threat("M13")
def test_a_version_that_a_server_changed_in_a_share_is_refused(mine: Bench) -> None:
    payload = replace(mine.share(mine.group(1)), version=2)
    assert isinstance(mine.hears(payload), ShareRefused)
    assert mine.machine.highest_version == 0


@pytest.mark.spec("7")
@pytest.mark.threat("M13")
@pytest.mark.parametrize("version", [1002, 10**6, 2**53 - 1])
def test_a_version_too_far_above_the_highest_held_is_refused(mine: Bench, version: int) -> None:
    mine.learns(mine.group(1))
    assert isinstance(mine.hears(mine.share(mine.group(version), MALLORY), MALLORY), ShareRefused)
    assert mine.machine.highest_known == 1


@pytest.mark.spec("7")
@pytest.mark.threat("M13")
def test_a_version_exactly_1000_above_counts(mine: Bench) -> None:
    mine.learns(mine.group(1))
    mine.learns(mine.group(1001))
    assert mine.machine.highest_version == 1001


@pytest.mark.spec("7")
@pytest.mark.threat("M13")
def test_a_ladder_of_hints_raises_nothing_for_who_holds_a_key(mine: Bench) -> None:
    mine.learns(mine.group(1))
    for version in range(900, 50_000, 900):
        mine.updated(BOB, version=version)
        mine.add(BOB, version=version)
    assert mine.machine.highest_known == 901 - 1
    assert isinstance(mine.hears(mine.share(mine.group(5_000), MALLORY), MALLORY), ShareRefused)


@pytest.mark.spec("7")
@pytest.mark.threat("M13")
def test_a_newcomer_whose_server_lies_makes_a_version_that_all_others_count(mine: Bench) -> None:
    mine.add(ME, version=900_000)
    (asked,) = mine.after(7_000)
    assert asked.version == 1000  # type: ignore[union-attr]


@pytest.mark.spec("7")
def test_a_newcomer_to_a_channel_with_thousands_of_versions_is_told_by_their_server(
    mine: Bench,
) -> None:
    mine.add(ME, version=5_000)
    mine.learns(mine.group(5_000))
    assert mine.machine.highest_version == 5_000


@pytest.mark.spec("7")
def test_a_share_for_others_alone_teaches_no_key_and_warns_nobody(mine: Bench) -> None:
    payload = mine.share(mine.group(1), ALICE, BOB)
    assert mine.hears(payload) is None
    assert mine.hears(replace(payload, content_sig="AAAA")) is None
    assert mine.hears(payload, pinned=False) is None
    assert mine.machine.sending_key() is None


@pytest.mark.spec("7")
def test_a_foreign_frame_with_several_shares_is_read(mine: Bench) -> None:
    key = mine.group(1)
    others = mine.share(key, ALICE, BOB).shares + mine.share(key).shares
    payload = replace(
        mine.share(key),
        shares=others,
        content_sig=content_sig.sign_shares(
            mine.keys[ALICE], [to_members(each) for each in others]
        ),
    )
    assert isinstance(mine.hears(payload), KeyLearned)


@pytest.mark.spec("7")
def test_the_signature_covers_members_of_a_share_that_we_do_not_know(mine: Bench) -> None:
    key = mine.group(1)
    received = [{**to_members(mine.share(key).shares[0]), "role": "member"}]
    payload = replace(
        mine.share(key),
        shares=(
            Share(
                member=ME,
                wrapped_public_channel_key=str(received[0]["wrapped_public_channel_key"]),
            ),
        ),
        content_sig=content_sig.sign_shares(mine.keys[ALICE], received),
    )
    alice = mine.keys[ALICE].public
    assert isinstance(mine.hears(payload), ShareRefused)
    outcome = mine.machine.shared(ALICE, payload, received, alice, mine.now)
    assert isinstance(outcome, KeyLearned)


@pytest.mark.spec("7")
@pytest.mark.parametrize(
    "change",
    [
        {"channel_pub": ""},
        {"channel_pub": "AAAA"},
        {"channel_priv_box": ""},
        {"channel_priv_box": "AAAA"},
        {"channel_priv_box": "A" * 20_000},
        {"creator_pub": "AAAA"},
        {"content_sig": ""},
        {"content_sig": "!"},
        {"version": 0},
    ],
)
def test_a_damaged_share_is_refused_and_nothing_raises(
    mine: Bench, change: dict[str, object]
) -> None:
    payload: PublicChannelKeyShare = replace(mine.share(mine.group(1)), **change)
    assert isinstance(mine.hears(payload), ShareRefused)


@pytest.mark.spec("7")
def test_received_shares_that_are_no_list_are_refused(mine: Bench) -> None:
    payload = mine.share(mine.group(1))
    outcome = mine.machine.shared(ALICE, payload, None, mine.keys[ALICE].public, mine.now)
    assert isinstance(outcome, ShareRefused)


@pytest.mark.spec("7")
@pytest.mark.threat("S5")
def test_one_member_brings_only_so_many_new_keys_in_ten_minutes(mine: Bench) -> None:
    for version in range(1, KEYS_PER_AUTHOR + 1):
        mine.learns(mine.group(version), MALLORY)
    flood = mine.share(mine.group(50), MALLORY)
    assert isinstance(mine.hears(flood, MALLORY), ShareRefused)
    mine.learns(mine.group(9), ALICE)
    mine.now += WINDOW_MS
    assert isinstance(mine.hears(flood, MALLORY), KeyLearned)


@pytest.mark.spec("7")
@pytest.mark.threat("S5")
def test_the_ring_keeps_the_64_newest_keys(mine: Bench) -> None:
    authors = sorted(mine.keys)
    for version in range(1, KEYS_KEPT + 7):
        mine.learns(mine.group(version), authors[version % len(authors)])
    versions = [key.version for key in mine.machine.reading_keys()]
    assert versions == list(range(KEYS_KEPT + 6, 6, -1))
    assert isinstance(mine.hears(mine.share(mine.group(1))), ShareRefused)


@pytest.mark.spec("7")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"channel_pub": ""}, "of a kind that carries no key pair"),
        ({"channel_priv_box": ""}, "of a kind that carries no key pair"),
        ({"channel_pub": "AAAA"}, "a key in it is damaged"),
        ({"content_sig": "AAAA"}, "its signature does not hold"),
        ({"channel_priv_box": "AAAA"}, "it does not open"),
        ({"version": 1_001}, "its version 1001 is too far above the ones in use"),
    ],
    ids=str,
)
def test_who_is_warned_of_a_share_reads_what_is_wrong_with_it(
    mine: Bench, change: dict[str, object], why: str
) -> None:
    refused = mine.hears(replace(mine.share(mine.group(1)), **change))
    assert isinstance(refused, ShareRefused)
    assert why in refused.reason


@pytest.mark.spec("7")
@pytest.mark.threat("S5")
def test_who_brings_too_many_keys_is_named_as_that(mine: Bench) -> None:
    for version in range(1, KEYS_PER_AUTHOR + 1):
        mine.learns(mine.group(version), MALLORY)
    refused = mine.hears(mine.share(mine.group(9), MALLORY), MALLORY)
    assert refused == ShareRefused("they have brought too many new keys in the last minutes")


@pytest.mark.threat("P5")
def test_a_held_key_shows_no_secret_in_its_repr(mine: Bench) -> None:
    key = mine.group(1)
    assert repr(key.group_key) not in repr(key)
    assert repr(key.private.to_bytes()) not in repr(key)
