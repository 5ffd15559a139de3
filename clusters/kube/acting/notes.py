"""Labels and annotations of any object."""

from collections.abc import Mapping

from clusters.kube.acting.target import SAME, Did, Json, Target, change
from clusters.kube.client import Client
from clusters.kube.errors import sentence

Changes = Mapping[str, str | None]


def label(client: Client, target: Target, changes: Changes) -> Did:
    """Sets labels; those with None are removed."""
    return _set(client, target, "labels", "label", changes)


def annotate(client: Client, target: Target, changes: Changes) -> Did:
    return _set(client, target, "annotations", "annotate", changes)


def _set(client: Client, target: Target, field: str, act: str, changes: Changes) -> Did:
    def patch(found: Json) -> Json | None:
        now = found["metadata"].get(field) or {}
        wanted = {key: value for key, value in changes.items() if now.get(key) != value}
        return {"metadata": {field: wanted}} if wanted else None

    before, after = change(client, target, patch)
    if before is after:
        return Did(SAME)
    was = {key: (before["metadata"].get(field) or {}).get(key) for key in changes}
    done = sentence("Its labels are changed."), sentence("Its annotations are changed.")
    return Did(
        done[0] if field == "labels" else done[1],
        before={field: was},
        after={field: dict(changes)},
        undo=(act, {"changes": was}),
    )
