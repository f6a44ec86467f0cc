"""Objects of JSON as rows of a table: their values by dotted names."""

from __future__ import annotations

from typing import Any


def flatten(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object's values by dotted names; `{"value": x}` is x, and lists and nulls are left out."""
    flat: dict[str, Any] = {}
    todo = [("", item)]
    while todo:
        prefix, current = todo.pop()
        for name, value in current.items():
            if isinstance(value, dict):
                inner = {"": value["value"]} if "value" in value and len(value) <= 4 else value
                todo.append((f"{prefix}{name}.", inner))
            elif value is not None and not isinstance(value, list):
                flat[f"{prefix}{name}".rstrip(".")] = value
    return {name: flat[name] for name in sorted(flat, key=lambda name: name.count("."))}


def cell(value: Any) -> str:
    """Return a value as a cell has it; a number of over 256 bits is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if not isinstance(value, int) or value.bit_length() <= 256 else ""
