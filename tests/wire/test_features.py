"""Features, and which of them may not be dropped again (section 11)."""

from __future__ import annotations

import pytest

from socp.wire.features import BIND, HYBRID, LINK_AUTH, SERVER_FEATURES, USER_FEATURES, dropped


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
@pytest.mark.parametrize(
    ("proved", "announced", "missing"),
    [
        ((), (), ()),
        (USER_FEATURES, USER_FEATURES, ()),
        (SERVER_FEATURES, (), (BIND, LINK_AUTH)),
        (USER_FEATURES, (HYBRID, BIND), (LINK_AUTH,)),
        (USER_FEATURES, SERVER_FEATURES, ()),
        ((), USER_FEATURES, ()),
    ],
)
def test_security_features_once_proved_are_missed_when_they_are_dropped(
    proved: tuple[str, ...], announced: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    assert dropped(proved, announced) == missing
