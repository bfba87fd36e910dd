"""The trigger that rings when something waits in the mailbox. I/O: lists the mailbox.

An event for each file would strand files: Airflow joins events that wait in its queue. So this
rings at most once a scan, when something newer waits than it has rung for, and again every minute
while anything is left; the run that it starts lists the mailbox itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from tillit.errors import Unavailable
from tillit.home import Home

__all__ = ["Doorbell", "newest_waiting"]

_log = logging.getLogger(__name__)


class Doorbell(BaseEventTrigger):
    """Watches the mailbox of the home in ``home``, every ``every_seconds``."""

    def __init__(self, home: str, every_seconds: float = 2.0, again_seconds: float = 60.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.home = home
        self.every_seconds = every_seconds
        self.again_seconds = again_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How Airflow makes this trigger again in its own process."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "home": self.home,
                "every_seconds": self.every_seconds,
                "again_seconds": self.again_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ring for ever; a mailbox that cannot be reached is looked at again later."""
        rung_for: dict[str, int] = {}
        rung_at = float("-inf")
        while True:
            waiting = await asyncio.to_thread(self._look)
            # Whoever's folder was empty in between is new, whatever number comes then.
            rung_for = {sender: rung_for[sender] for sender in waiting if sender in rung_for}
            newer = any(seq > rung_for.get(sender, 0) for sender, seq in waiting.items())
            if waiting and (newer or time.monotonic() - rung_at >= self.again_seconds):
                rung_for, rung_at = {**rung_for, **waiting}, time.monotonic()
                yield TriggerEvent({"waiting": waiting})  # type: ignore[no-untyped-call]
            await asyncio.sleep(self.every_seconds)

    def _look(self) -> dict[str, int]:
        try:
            return newest_waiting(Path(self.home))
        except Unavailable as error:
            _log.warning("the mailbox cannot be reached: %s", error)
            return {}


def newest_waiting(home: Path) -> dict[str, int]:
    """The highest number that waits, by sender. Raises MailboxUnavailable."""
    with Home.open(home) as opened:
        incoming = opened.incoming
        found = {sender: incoming.waiting(sender) for sender in incoming.senders()}
        return {sender: waiting[-1].seq for sender, waiting in found.items() if waiting}
