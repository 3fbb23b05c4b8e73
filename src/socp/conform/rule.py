"""A rule of the protocol's page as data, and the table that a section's rules are written into."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from socp.conform.verdicts import Level

P = TypeVar("P")
Check = Callable[[P], Awaitable[None]]
"""Tries one rule: returns where it is kept, else raises a Finding."""
C = TypeVar("C", bound=Callable[..., Awaitable[None]])


class Need(StrEnum):
    """What a rule cannot be tried without; the text is the reason where it is not there."""

    USERS = "needs a server that takes new users (registration open)"
    SERVERS = "needs a server that lets any other join (open admission)"
    KNOWN = "needs a server that lets only known ones join"
    PEER = "needs a second server that is linked with this one: --peer ws://host:port"
    THROW_AWAY = (
        "leaves a trace that people at that server would see; if it is one for tests: --throw-away"
    )


@dataclass(frozen=True, slots=True)
class Rule(Generic[P]):
    """One rule. `id` is "<section>.<number>-<words>", and stays once it was published."""

    id: str
    level: Level
    title: str
    """What is so where it is kept, in one sentence."""
    remedy: str
    """What to change where it is not."""
    check: Check[P]
    needs: tuple[Need, ...] = ()
    feature: str = ""
    """The extension that must be announced, such as `bind/1`."""
    waits_s: int = 0
    """How long it must wait by its nature; such rules are tried beside the others."""
    rests_on: str = ""
    """The id of a rule without which this one says nothing."""

    @property
    def section(self) -> str:
        """Of the protocol's page."""
        return self.id.partition(".")[0]


@dataclass(slots=True)
class Section(Generic[P]):
    """The rules of one section, in the order of their file."""

    needs: tuple[Need, ...] = ()
    """What each of them needs."""
    feature: str = ""
    rules: list[Rule[P]] = field(default_factory=list)

    def must(self, id: str, title: str, remedy: str, **more: Any) -> Callable[[C], C]:  # noqa: A002
        """Write the function below down as a MUST."""
        return self._written(Level.MUST, id, title, remedy, **more)

    def should(self, id: str, title: str, remedy: str, **more: Any) -> Callable[[C], C]:  # noqa: A002
        """Write the function below down as a SHOULD."""
        return self._written(Level.SHOULD, id, title, remedy, **more)

    def extension(self, id: str, title: str, remedy: str, **more: Any) -> Callable[[C], C]:  # noqa: A002
        """Write the function below down as a rule of an extension, named by `feature`."""
        return self._written(Level.EXTENSION, id, title, remedy, **more)

    def _written(
        self,
        level: Level,
        id: str,  # noqa: A002
        title: str,
        remedy: str,
        *,
        needs: Sequence[Need] = (),
        feature: str = "",
        waits_s: int = 0,
        rests_on: str = "",
    ) -> Callable[[C], C]:
        def taken(check: C) -> C:
            every = tuple(dict.fromkeys((*self.needs, *needs)))
            of = feature or self.feature
            self.rules.append(Rule(id, level, title, remedy, check, every, of, waits_s, rests_on))
            return check

        return taken
