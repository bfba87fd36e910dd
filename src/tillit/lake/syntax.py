"""A SELECT as DuckDB itself reads it: what it names, wherever in it. I/O: DuckDB, parsing only.

Text is never searched for names: what DuckDB parsed is what it will run. The tree is its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from tillit.engine import scalar
from tillit.errors import TableRefused

__all__ = [
    "free_tables",
    "local_names",
    "parsed",
    "scalar_functions",
    "table_functions",
    "table_nodes",
    "written",
]


def parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The tree of one SELECT; TableRefused (query) for anything else."""
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise TableRefused(
            "query",
            "only one SELECT is run here",
            expected="one SELECT",
            found=", ".join(str(s.type).rpartition(".")[2] for s in statements) or "nothing",
        )
    tree = json.loads(scalar(connection, "select json_serialize_sql(?)", statements[0].query))
    if tree["error"]:
        raise TableRefused(
            "query", "this question is not understood", found=tree.get("error_message")
        )
    return tree


def written(connection: duckdb.DuckDBPyConnection, tree: Any) -> str:
    """The SQL that a tree stands for."""
    return str(scalar(connection, "select json_deserialize_sql(?)", json.dumps(tree)))


def table_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Whatever names a table, of whichever type of node it is."""
    for node in _nodes(tree):
        if _names_a_table(node):
            yield node


def table_functions(tree: Any) -> Iterator[dict[str, Any]]:
    """Calls of functions that stand for a table."""
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            yield node["function"]


def scalar_functions(tree: Any) -> Iterator[str]:
    """The names of all functions that are called on values, however they are written."""
    for node in _nodes(tree):
        if node.get("class") == "FUNCTION":
            yield node["function_name"].lower()


def local_names(tree: Any) -> frozenset[str]:
    """Names that it gives to parts of itself, WITH name AS; where they hold is not asked."""
    return frozenset(name for node in _nodes(tree) for name, _ in _parts(node))


def free_tables(tree: Any, known: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Nodes that name a table outside: no part of the query that is in sight has that name."""
    if isinstance(tree, list):
        for item in tree:
            yield from free_tables(item, known)
    elif isinstance(tree, dict):
        for name, part in _parts(tree):
            inner = known | {name} if _is_recursive(part) else known
            yield from free_tables(part, inner)
            known |= {name}
        if _names_a_table(tree) and not _is_known(tree, known):
            yield tree
        yield from free_tables([v for k, v in tree.items() if k != "cte_map"], known)


def _is_known(node: dict[str, Any], known: frozenset[str]) -> bool:
    bare = not node["schema_name"] and not node["catalog_name"]
    return bare and node["table_name"].lower() in known


def _is_recursive(part: Any) -> bool:
    return bool(part["query"]["node"]["type"] == "RECURSIVE_CTE_NODE")


def _names_a_table(node: dict[str, Any]) -> bool:
    return "table_name" in node and "schema_name" in node and bool(node["table_name"])


def _parts(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for entry in (node.get("cte_map") or {}).get("map", []):
        yield str(entry["key"]).lower(), entry["value"]


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)
