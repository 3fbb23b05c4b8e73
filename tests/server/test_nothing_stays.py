"""A link that is over leaves nothing for the garbage collector, which looks at what is old almost
never: ten thousand comings and goings would be 160 MB (threat S5)."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from socp.node.events import LinkLost
from socp.server.front import Handler
from socp.server.link import Link
from socp.server.meter import Meter
from tests.server.rig import Brain, running, until

PARTS = (Handler, Link, Meter)


def there() -> set[int]:
    return {id(each) for each in gc.get_objects() if type(each) in PARTS}


@pytest.mark.threat("S5")
async def test_all_of_a_link_is_gone_once_it_is_over(tmp_path: Path) -> None:
    brain = Brain()
    async with running(tmp_path, brain) as shell:
        gc.collect()
        before = there()
        gc.disable()
        try:
            _, writer = await shell.handshake()
            new = [each for each in gc.get_objects() if type(each) in PARTS]
            parts = [weakref.ref(each) for each in new if id(each) not in before and each_is(each)]
            del new
            assert parts
            writer.close()
            await until(lambda: brain.of(LinkLost))
            await until(lambda: not [ref for ref in parts if ref() is not None])
        finally:
            gc.enable()


def each_is(part: object) -> bool:
    """Whether it can be watched: some have no room for a weak reference."""
    return type(part).__weakrefoffset__ != 0
