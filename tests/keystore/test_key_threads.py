"""Threads for the arithmetic of keys give way to the loop beside them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from socp.keystore.key_threads import cores, key_threads

linux = pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def in_a_thread(work: Callable[[], int]) -> int:
    with key_threads(1, "test") as threads:
        return threads.submit(work).result()


@linux
def test_they_are_nice_and_the_loop_is_not() -> None:
    before = niceness()
    assert in_a_thread(niceness) == max(before, 10)
    assert niceness() == before


@linux
def test_one_that_is_nicer_already_stays_so() -> None:
    def nicer() -> int:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        return in_a_thread(niceness)

    assert in_a_thread(nicer) == 15


@linux
def test_where_that_is_forbidden_they_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_asked: int) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(os, "setpriority", forbidden)
    assert in_a_thread(lambda: 1) == 1


def test_cores_are_those_that_this_process_may_use() -> None:
    assert cores() >= 1
    if hasattr(os, "sched_getaffinity"):
        assert cores() == len(os.sched_getaffinity(0))
