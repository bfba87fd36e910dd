"""Python's garbage collector, told when there is nothing for it to find. I/O: none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many objects that stay, without looking for garbage among them again and again.

    Each look goes through all objects that there are; reading ten thousand texts spends a quarter
    of its time on that, and importing a large framework a third. Also a decorator.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
