"""Whatever content comes, in whatever order, with restarts between: each thing once, and no
exception (section 11; threats M2, M12, S5)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socp.member.effects import GapFound, MessageArrived
from socp.wire.content import Body, Text
from tests.member.desk import RUN, WITH_MAILBOX, WITHOUT_MAILBOX, Desk
from tests.wire.test_content import bodies

pytestmark = [pytest.mark.spec("11"), pytest.mark.threat("M12")]

MANY = 12
steps = st.lists(
    st.one_of(st.integers(1, MANY), st.just("restart"), st.just("passes")), max_size=40
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.sampled_from((WITH_MAILBOX, WITHOUT_MAILBOX)))
def test_texts_in_any_order_are_each_shown_once(
    walk: list[int | str], features: tuple[str, ...]
) -> None:
    desk = Desk(features, receipts=True).attaches()
    alice = desk.friend("alice")
    for step in walk:
        if step == "restart":
            desk.loses_the_link()
            desk.again(desk.store())
            desk.attaches()
        elif step == "passes":
            desk.passes(11)
        else:
            alice.sends(Text(body=str(step)), int(step))
    came = {int(step) for step in walk if isinstance(step, int)}
    assert Counter(desk.texts) == Counter(str(seq) for seq in came)
    late = [int(m.text) for m in desk.told(MessageArrived) if m.late]
    order = [int(m.text) for m in desk.told(MessageArrived)]
    assert late == [seq for at, seq in enumerate(order) if any(seq < n for n in order[:at])]
    if came == set(range(1, MANY + 1)):
        before = len(desk.told(GapFound))
        desk.passes(11)
        assert len(desk.told(GapFound)) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(bodies, st.integers(1, 2**53 - 1) | st.integers(1, 9), st.booleans()),
        max_size=12,
    )
)
def test_whatever_is_said_in_content_raises_nothing(
    said: list[tuple[Body, int, bool]],
) -> None:
    desk = Desk(WITH_MAILBOX, receipts=True).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    for body, seq, other in said:
        alice.sends(body, seq, run="f" * 16 if other else RUN)
        desk.passes(1.5)
    shown = sum(isinstance(body, Text) for body, _, _ in said)
    assert len(desk.texts) <= shown
