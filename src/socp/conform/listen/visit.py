"""What a rule about a guest works with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from socp.conform.frames import Frame
from socp.conform.keys import PublicKey
from socp.conform.link import Where, anything
from socp.conform.listen.house import USER_HELLO, House, key_of
from socp.conform.peers import Peer
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Breach, Unjudged


@dataclass(slots=True)
class Visit:
    """A guest that is attached, or will be again. `wait_s`: for what a person must do; `back_s`:
    how long who was cut off may take to come back."""

    house: House
    transcript: Transcript
    wait_s: float
    back_s: float

    @property
    def hello(self) -> Frame:
        """The guest's newest hello."""
        return self.house.hellos[-1]

    @property
    def key(self) -> PublicKey:
        """The key in it. Raises Breach."""
        key: PublicKey = key_of(self.hello)
        return key

    @property
    def id(self) -> str:
        return str(self.hello.members.get("from"))

    @property
    def is_user(self) -> bool:
        return self.hello.type == USER_HELLO

    async def guest(self) -> Peer:
        """The guest, attached. Raises Breach where they do not come back."""
        return await self.house.present(self.transcript, self.back_s)

    async def stays(self) -> None:
        """The guest is still on the same link. Raises Breach."""
        guest = await self.guest()
        await asyncio.sleep(self.house.manners.quiet_s)
        if guest.link.close_code is not None:
            raise Breach(f"it left ({guest.link.close_code})")

    async def comes_back(self) -> None:
        """It may have left, but it is not dead. Raises Breach."""
        await asyncio.sleep(self.house.manners.quiet_s)
        await self.guest()

    def check_announces(self, *features: str) -> None:
        """Raises Unjudged where the guest does not announce all of these."""
        announced = self.hello.get("features")
        for feature in features:
            if not isinstance(announced, list) or feature not in announced:
                raise Unjudged(f"it does not announce {feature}")

    async def told(
        self,
        *kinds: str,
        where: Where = anything,
        within_s: float | None = None,
        hint: str = "",
        nth: int = 1,
    ) -> Frame:
        """Such a frame (the second one, ...), whenever it was said. Raises Unjudged where it does
        not come in time. `hint`: what a person must do for it, waited for once."""
        loop = asyncio.get_running_loop()
        wait_s = self.wait_s if within_s is None else within_s
        end = loop.time() + (0 if hint in self.house.given_up else wait_s)
        while True:
            fits = [f for f in tuple(self.house.said) if f.type in kinds and where(f)]
            if len(fits) >= nth:
                self.transcript.came("guest", fits[nth - 1].text)
                return fits[nth - 1]
            if loop.time() > end:
                break
            await asyncio.sleep(0.1)
        if hint:
            self.house.given_up.add(hint)
        raise Unjudged(f"no {' or '.join(kinds)} came in {wait_s:g} s{hint}")
