"""Deleting objects, and evicting pods as their budgets allow."""

import re

from clusters.kube import errors
from clusters.kube.acting.target import Did, Json, Replaced, Target, Unfit
from clusters.kube.client import Client
from clusters.kube.errors import sentence

GONE = sentence("It was gone already.")
# What the API server (registry/core/pod/storage) says of a budget that allows no eviction.
_NEEDS = re.compile(r"The disruption budget (\S+) needs (\d+) healthy pods and has (\d+) currently")


class Held(Unfit):
    """A budget does not let the pod go now; it may later."""

    code = "held"


def delete(client: Client, target: Target, *, orphan: bool = False, force: bool = False) -> Did:
    """Deletes just this object; what it owns follows, or stays with `orphan`.

    `force` waits for no container to end: two pods of one name may run for a while.
    """
    held = {"uid": target.uid}
    if target.version:
        held["resourceVersion"] = target.version
    body: Json = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": held,
        "propagationPolicy": "Orphan" if orphan else "Background",
    }
    if force:
        body["gracePeriodSeconds"] = 0
    try:
        answer = client.request("DELETE", target.url(), body)
    except errors.NotFound:
        return Did(GONE)
    except errors.Conflict as error:
        raise Replaced from error
    waits = (answer.get("metadata") or {}).get("finalizers") or []
    if answer.get("kind") != "Status" and waits:
        words = sentence("It is being deleted; its finalizers must let it go: %(finalizers)s.")
        return Did(words, {"finalizers": ", ".join(map(str, waits[:5]))})
    return Did(sentence("Deleted."))


def evict(client: Client, target: Target, *, grace: int | None = None) -> Did:
    """Asks the pod to go, if its budgets allow it; Held says which one does not."""
    options: Json = {"preconditions": {"uid": target.uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "deleteOptions": options,
    }
    try:
        client.request("POST", target.url("eviction"), body)
    except errors.NotFound:
        return Did(GONE)
    except errors.Conflict as error:
        raise Replaced from error
    except errors.TooManyRequests as error:
        raise _held(str(error)) from error
    return Did(sentence("Evicted."))


def _held(said: str) -> Held:
    """Why the pod must stay, and what would let it go."""
    if found := _NEEDS.search(said):
        budget, needed, healthy = found.groups()
        words = sentence(
            "The disruption budget %(budget)s needs %(needed)s healthy pods and has %(healthy)s:"
            " it lets no pod go. More replicas, pods that become ready, or another budget would."
        )
        return Held(words, budget=budget, needed=needed, healthy=healthy)
    return Held(sentence("The cluster does not let it go now: %(said)s"), said=said)
