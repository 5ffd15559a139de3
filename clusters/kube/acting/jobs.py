"""CronJobs: standing still, going on, and running once now."""

from contextlib import suppress

from clusters.kube import errors
from clusters.kube.acting.target import Did, Json, Target, address, change, read
from clusters.kube.client import Client
from clusters.kube.errors import sentence

JOBS = "/apis/batch/v1/jobs"
# As `kubectl create job --from` writes it.
MANUAL = "cronjob.kubernetes.io/instantiate"
# A name is a label of the Job's pods: at most 63 characters.
LONGEST = 63


def suspend(client: Client, target: Target) -> Did:
    """No more Jobs are begun; those that run go on."""
    return _set(client, target, True)


def unsuspend(client: Client, target: Target) -> Did:
    return _set(client, target, False)


def _set(client: Client, target: Target, wanted: bool) -> Did:
    def patch(found: Json) -> Json | None:
        now = bool(found["spec"].get("suspend"))
        return None if now == wanted else {"spec": {"suspend": wanted}}

    before, after = change(client, target, patch)
    if before is after:
        same = sentence("It was suspended already."), sentence("It was not suspended.")
        return Did(same[0] if wanted else same[1])
    done = sentence("It begins no more Jobs."), sentence("It begins Jobs by its schedule again.")
    return Did(
        done[0] if wanted else done[1],
        before={"suspend": not wanted},
        after={"suspend": wanted},
        undo=("unsuspend" if wanted else "suspend", {}),
    )


def trigger(client: Client, target: Target, key: str) -> Did:
    """Begins a Job of the CronJob now; a second call with the same key begins no second one."""
    found = read(client, target)
    template = found["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    suffix = f"-manual-{key[:8].lower()}"
    name = target.name[: LONGEST - len(suffix)].rstrip("-.") + suffix
    owner = {
        # Without blockOwnerDeletion, which takes a right of its own.
        "apiVersion": "batch/v1", "kind": "CronJob", "name": target.name, "uid": target.uid,
        "controller": True,
    }  # fmt: skip
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": meta.get("labels") or {},
            "annotations": {MANUAL: "manual", **(meta.get("annotations") or {})},
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    }
    with suppress(errors.Conflict):  # begun by the same request before
        client.request("POST", address(JOBS, target.namespace), body)
    return Did(sentence("The Job %(name)s has begun."), {"name": name}, after={"job": name})
