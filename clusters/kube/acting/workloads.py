"""Scaling, restarting and pausing what keeps pods."""

from datetime import UTC, datetime

from clusters.kube.acting.revisions import REVISION
from clusters.kube.acting.target import Did, Json, Target, Unfit, change
from clusters.kube.client import Client
from clusters.kube.errors import sentence

# As `kubectl rollout restart` writes it.
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def scale(client: Client, target: Target, replicas: int, seen: int | None = None) -> Did:
    """Sets how many pods it keeps. `seen` is how many who asked for it saw.

    Unfit when it keeps another number by now: somebody else has decided meanwhile.
    """

    def patch(found: Json) -> Json | None:
        now = _replicas(found)
        if now == replicas:
            return None
        if seen is not None and now != seen:
            words = sentence(
                "Somebody else scaled it meanwhile: it has %(now)s replicas, not %(seen)s."
            )
            raise Unfit(words, now=now, seen=seen)
        return {"spec": {"replicas": replicas}}

    before = _replicas(change(client, target, patch, "scale")[0])
    if before == replicas:
        return Did(sentence("It had %(now)s replicas already."), {"now": replicas})
    return Did(
        sentence("Scaled from %(before)s to %(after)s replicas."),
        {"before": before, "after": replicas},
        {"replicas": before},
        {"replicas": replicas},
        ("scale", {"replicas": before, "seen": replicas}),
    )


def _replicas(scaled: Json) -> int:
    # Zero is left out.
    return int(scaled.get("spec", {}).get("replicas", 0))


def restart(client: Client, target: Target) -> Did:
    """Begins a rollout of the same template: every pod is made anew, as the strategy says."""
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def patch(found: Json) -> Json | None:
        if found["spec"].get("paused"):
            raise Unfit(sentence("Its rollouts are paused. Resume them first."))
        return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: moment}}}}}

    before, after = change(client, target, patch)
    # Only Deployments have them: their template of before can be rolled out again.
    revision = (before["metadata"].get("annotations") or {}).get(REVISION, "")
    return Did(
        sentence("The restart has begun."),
        before={"restartedAt": _restarted(before)},
        after={"restartedAt": _restarted(after)},
        undo=("rollback", {"revision": int(revision)}) if revision.isdecimal() else None,
    )


def _restarted(found: Json) -> str | None:
    meta = found["spec"]["template"].get("metadata") or {}
    return (meta.get("annotations") or {}).get(RESTARTED)


def pause(client: Client, target: Target) -> Did:
    """New templates of a Deployment are rolled out no more until it is resumed."""
    return _set_paused(client, target, True)


def resume(client: Client, target: Target) -> Did:
    return _set_paused(client, target, False)


def _set_paused(client: Client, target: Target, wanted: bool) -> Did:
    def patch(found: Json) -> Json | None:
        now = bool(found["spec"].get("paused"))
        return None if now == wanted else {"spec": {"paused": wanted or None}}

    before, after = change(client, target, patch)
    if before is after:
        same = sentence("It was paused already."), sentence("It was not paused.")
        return Did(same[0] if wanted else same[1])
    done = sentence("Its rollouts are paused."), sentence("Its rollouts go on.")
    return Did(
        done[0] if wanted else done[1],
        before={"paused": not wanted},
        after={"paused": wanted},
        undo=("resume" if wanted else "pause", {}),
    )
