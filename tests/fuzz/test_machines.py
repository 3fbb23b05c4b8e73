"""Every state machine beside its model, for a moment; `script/fuzz` goes on for hours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.fuzz.machines import RULES


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
