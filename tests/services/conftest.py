"""What tests against other people's programs share."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip here; fail in CI, where everything has to be there, lest nobody notice."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def require(program: str, debian_package: str) -> str:
    """The path of a program; without it the test is skipped with what to install."""
    path = shutil.which(program)
    if path is None:
        missing(f"{program} is not installed (Debian: apt-get install {debian_package})")
    return path
