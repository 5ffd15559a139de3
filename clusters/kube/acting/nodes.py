"""Keeping new pods away from a node, and letting them come again."""

from clusters.kube.acting.target import Did, Json, Target, change
from clusters.kube.client import Client
from clusters.kube.errors import sentence


def cordon(client: Client, target: Target) -> Did:
    """The scheduler gives the node no more pods."""
    return _set(client, target, True)


def uncordon(client: Client, target: Target) -> Did:
    return _set(client, target, False)


def _set(client: Client, target: Target, wanted: bool) -> Did:
    def patch(found: Json) -> Json | None:
        now = bool(found.get("spec", {}).get("unschedulable"))
        return None if now == wanted else {"spec": {"unschedulable": wanted or None}}

    before, after = change(client, target, patch)
    if before is after:
        same = sentence("It was cordoned already."), sentence("It was not cordoned.")
        return Did(same[0] if wanted else same[1])
    done = sentence("It takes no new pods."), sentence("It takes new pods again.")
    return Did(
        done[0] if wanted else done[1],
        before={"unschedulable": not wanted},
        after={"unschedulable": wanted},
        undo=("uncordon" if wanted else "cordon", {}),
    )
