"""How far something long is, for whoever looks at a terminal. I/O: the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

__all__ = ["told"]


@contextmanager
def told(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """What to tell how many are done, of how many; None where stderr is no terminal.

    The bar comes with the first word: where nothing has to be done none is shown.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        bars: list[Any] = []

        def tell(done: int, total: int) -> None:
            if not bars:
                made: Any = click.progressbar(length=total, label=label, file=sys.stderr)
                bars.append(stack.enter_context(made))
            bars[0].update(done - bars[0].pos)

        yield tell
