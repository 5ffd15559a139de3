"""Kinds of which only the metadata counts: they have no state of their own."""

from collections.abc import Callable
from typing import Any

from clusters.kube.project.base import row
from clusters.kube.types import Row


def bare(kind: str) -> Callable[[Any], Row]:
    """The projection of a kind without a state; its status is "" until it is being deleted."""

    def bare_row(found: Any) -> Row:
        metadata = found.metadata
        if metadata.HasField("deletionTimestamp"):
            return row(kind, metadata, status="Terminating", health="progressing", counts=(0, 0, 0))
        return row(kind, metadata, status="", health="idle", counts=(0, 0, 0))

    return bare_row
