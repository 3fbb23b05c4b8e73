"""What the person is warned of once (threat M9: no warning may be crowded out)."""

from __future__ import annotations

import pytest

from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import Tell, Warned
from socp.member.emitter import WARNED_MAX, Emitter
from tests.member.desk import Desk


@pytest.mark.threat("M9")
def test_errors_with_codes_of_its_own_give_a_server_one_warning() -> None:
    desk = Desk().attaches()
    before = len(desk.told(Warned))
    for number in range(WARNED_MAX + 1):
        desk.hears("ERROR", {"code": f"X{number}", "detail": "no"})
    assert len(desk.told(Warned)) == before + 1


@pytest.mark.threat("M9")
def test_no_number_of_warnings_keeps_a_new_one_from_being_said() -> None:
    emit = Emitter("me", SymbolicSuite(1).generate())
    for number in range(WARNED_MAX + 1):
        emit.warn_once(f"{number}", "one of many")
    emit.take()
    emit.warn_once("new", "what matters")
    emit.warn_once("new", "what matters")
    assert emit.take() == [Tell(Warned("what matters"))]
