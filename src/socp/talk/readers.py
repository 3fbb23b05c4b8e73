"""`/members`: who reads what is said to everyone, and the choice who may (section 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from socp.client.client import Client
from socp.client.clock import now_ms
from socp.member.records import PublicChoice
from socp.talk.commands import Members
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases


def chosen(choice: PublicChoice, word: str) -> PublicChoice:
    """The choice after one of READERS was said; "" changes nothing."""
    match word:
        case "all" | "verified":
            return replace(choice, verified_only=word == "verified")
        case "plain" | "leave-out":
            return replace(choice, leave_out=word == "leave-out")
        case _:
            return choice


def choice_text(choice: PublicChoice) -> str:
    """For whom it is, in words."""
    readers = (
        "for verified members alone: while somebody is there who is not, it waits"
        if choice.verified_only
        else "for all who are there"
    )
    unbound = (
        "who lacks hybrid/1 is left out"
        if choice.leave_out
        else "where somebody lacks hybrid/1 all get plain v1.3"
    )
    return f"what you say to everyone is {readers}; {unbound}"


async def members(
    me: Client, phrases: Phrases, command: Members, show: Callable[[Entry], None]
) -> None:
    """Choose, where something was chosen, and show how it is now."""
    choice = chosen(me.public_choice, command.choice)
    if choice != me.public_choice:
        await me.choose_public(choice)
    people = me.contacts.members()
    head = f"everyone: you and {len(people)} more can read what is said with /all"
    show(Entry((("class:mark", head),), f"\n{choice_text(choice)}"))
    for person in people:
        show(phrases.person(person, now_ms(), attached=me.attached))
