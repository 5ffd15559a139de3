"""Checks the values that a person gives to a chart."""

from typing import Any

from deployments.helm import strict
from deployments.helm.errors import BadValues


def check(text: str) -> dict[str, Any]:
    """Check values. In: YAML text. Out: its data, {} for an empty text.

    Errors: `BadValues` with line and column: more than 256 KiB, aliases, merge keys, tags,
    duplicate keys, several documents, not a mapping.
    """
    found = strict.load(text)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadValues("values must be a mapping (key: value)", 1, 1)
    return found
