"""A part of a contract's text with its place in it, so that a refusal names the place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tillit.errors import ContractRefused

__all__ = ["Section"]


class Section:
    """One mapping of the document; every way of reading it checks what is there.

    Raises ContractRefused: ``unknown-key``, ``missing-key``, ``wrong-value``, ``unsupported``.
    """

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self.values = values
        self.path = path

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def at(self, key: str) -> str:
        """The place of a key, as it is named in a refusal."""
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, expected: str) -> ContractRefused:
        """The refusal of what stands at a key."""
        return ContractRefused(
            "wrong-value",
            f"{self.at(key)} cannot be used",
            expected=expected,
            found=repr(self.values.get(key)),
        )

    def unsupported(self, key: str, why: str) -> ContractRefused:
        """The refusal of what ODCS allows and nothing here would enforce."""
        return ContractRefused("unsupported", f"{self.at(key)}: {why}", found=self.values.get(key))

    def only(self, known: Iterable[str], unsupported: Iterable[str] = ()) -> None:
        """Refuse keys that nobody reads: a rule that is not understood is not kept."""
        for key in self.values:
            if key in unsupported:
                raise ContractRefused("unsupported", f"{self.at(key)} is not supported")
            if key not in known:
                raise ContractRefused("unknown-key", f"{self.at(key)} is not a key of ODCS v3.1.0")

    def text(self, key: str, default: str | None = None) -> str:
        """Text; a missing one is refused unless there is a default."""
        value = self.values.get(key)
        if value is None:
            if default is None:
                raise ContractRefused("missing-key", f"{self.at(key)} is missing")
            return default
        if not isinstance(value, str):
            raise self.wrong(key, "text")
        return value

    def flag(self, key: str) -> bool:
        """True or false, false when missing."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def count(self, key: str, default: int, least: int = 0) -> int:
        """A whole number of at least ``least``."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, f"a whole number of at least {least}")
        return value

    def items(self, key: str) -> list[Any]:
        """A list, empty when missing."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def inner(self, key: str) -> Section:
        """A mapping, empty when missing."""
        value = self.values.get(key)
        if value is None:
            return Section({}, self.at(key))
        if not isinstance(value, dict):
            raise self.wrong(key, "a mapping")
        return Section(value, self.at(key))

    def sections(self, key: str, named_by: str) -> Iterator[Section]:
        """Each mapping of a list; its place is named by the key ``named_by`` or by its number."""
        for number, value in enumerate(self.items(key)):
            if not isinstance(value, dict):
                raise self.wrong(key, "a list of mappings")
            name = value.get(named_by)
            place = f"[{name}]" if isinstance(name, str) else f"[{number}]"
            yield Section(value, self.at(key) + place)

    def custom(self, name: str) -> object:
        """The value of one of the ``customProperties``; None when missing.

        Other names are passed over: they are other tools' extensions.
        """
        found = [
            item.values.get("value")
            for item in self.sections("customProperties", "property")
            if item.values.get("property") == name
        ]
        if len(found) > 1:
            raise ContractRefused(
                "duplicate-key", f"{self.at('customProperties')} has {name} twice"
            )
        return found[0] if found else None
