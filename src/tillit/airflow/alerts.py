"""Who is told of an alarm: the notifiers named in the environment. I/O: reads it.

``TILLIT_ALERTS`` is a list in JSON, of objects with ``notifier``, the class, and what it is to be
made with. In those texts ``{{ ti.xcom_pull(task_ids="alert") }}`` stands for the alarms, a line
each. Any notifier of Airflow's or of its providers will do.
"""

from __future__ import annotations

import json
import os
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from tillit.errors import ConfigError

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier

__all__ = ["ALERTS", "notifiers"]

ALERTS = "TILLIT_ALERTS"

_EXAMPLE = '[{"notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "to": "..."}]'


def notifiers(text: str | None = None) -> list[BaseNotifier]:
    """The notifiers that ``text``, by default ``TILLIT_ALERTS``, names; none where it is not set.

    Raises ConfigError for what is no such list, names no notifier, or cannot be made so.
    """
    given = os.environ.get(ALERTS, "") if text is None else text
    if not given.strip():
        return []
    try:
        listed = json.loads(given)
    except ValueError as error:
        raise _wrong(str(error)) from None
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise _wrong("another form")
    return [_made(dict(entry)) for entry in listed]


def _made(entry: dict[str, Any]) -> BaseNotifier:
    from airflow.sdk import BaseNotifier

    name = entry.pop("notifier", None)
    try:
        notifier = resolve_name(str(name))
    except (ImportError, AttributeError, ValueError) as error:
        raise _wrong(str(error)) from None
    if not (isinstance(notifier, type) and issubclass(notifier, BaseNotifier)):
        raise _wrong(f"{name}, which is no notifier")
    try:
        made: BaseNotifier = notifier(**entry)
    except TypeError as error:
        raise _wrong(f"{name}: {error}") from None
    return made


def _wrong(found: str) -> ConfigError:
    return ConfigError(
        "wrong-value", f"{ALERTS} names nobody to tell", expected=_EXAMPLE, found=found
    )
