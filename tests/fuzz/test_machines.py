"""Every state machine beside its model, for a moment; `script/fuzz` goes on for hours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from socp.node.dedup import SeenIds
from tests.fuzz.doors import PROPERTIES
from tests.fuzz.machines import RULES
from tests.fuzz.targets import corpus


@pytest.mark.parametrize("kind", RULES.values(), ids=RULES)
def test_it_does_what_its_model_does(kind: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_machine_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: what passed is forgotten at once."""
    monkeypatch.setattr(SeenIds, "add", lambda *_: None)
    with pytest.raises(AssertionError):
        test_it_does_what_its_model_does(RULES["seen-ids"])


@pytest.mark.parametrize("name", PROPERTIES)
def test_what_was_found_before_is_taken(name: str) -> None:
    for choices in corpus(name):
        PROPERTIES[name].hypothesis.fuzz_one_input(choices)
