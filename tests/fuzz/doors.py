"""All that can be fuzzed as bytes: the targets, and the property tests of every room by their
names, whose choices hypothesis reads out of the bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fuzz.machines import MACHINES
from tests.fuzz.targets import TARGETS, corpus
from tests.member import test_anything, test_threads
from tests.node import test_random_frames

Door = tuple[Callable[[bytes], Any], list[bytes], int]

PROPERTIES: dict[str, Any] = {
    "node": test_random_frames.test_no_sequence_of_frames_breaks_the_laws_of_the_brain,
    "member": test_anything.test_unsigned_frames_on_a_bound_link_get_no_answer_and_change_no_line,
    "gaps": test_threads.test_whatever_an_author_numbers_what_is_kept_of_it_is_bounded,
    **MACHINES,
}
CHOICES_BYTES_MAX = 8192


def doors() -> dict[str, Door]:
    """By name."""
    targets = {
        name: (target.take, target.seeds() + corpus(name), target.max_bytes)
        for name, target in TARGETS.items()
    }
    choices = {
        name: (test.hypothesis.fuzz_one_input, corpus(name), CHOICES_BYTES_MAX)
        for name, test in PROPERTIES.items()
    }
    return targets | choices
