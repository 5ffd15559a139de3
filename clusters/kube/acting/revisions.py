"""Taking a Deployment back to a template that it had before (kubectl's polymorphichelpers)."""

from typing import NamedTuple
from urllib.parse import urlencode

from clusters.kube import errors
from clusters.kube.acting.target import JSON_PATCH, TRIES, Did, Json, Target, Unfit, address, read
from clusters.kube.client import Client
from clusters.kube.errors import sentence

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
REPLICA_SETS = "/apis/apps/v1/replicasets"
# What a Deployment says of itself and not of one of its templates.
_ITS_OWN = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    )
)


class Revision(NamedTuple):
    """A template that a Deployment has or had."""

    number: int
    created: str
    images: tuple[str, ...]
    template: Json
    annotations: dict[str, str]


def revisions(client: Client, target: Target) -> list[Revision]:
    """The templates that a Deployment has and had, the newest first."""
    return _revisions(client, target, read(client, target))


def _revisions(client: Client, target: Target, found: Json) -> list[Revision]:
    labels = found["spec"].get("selector", {}).get("matchLabels") or {}
    params: dict[str, str | int] = {"limit": 500}
    if labels:
        params |= {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())}
    url = f"{address(REPLICA_SETS, target.namespace)}?{urlencode(params)}"
    known = [_revision(one) for one in client.get(url).get("items") or [] if _owned(one, target)]
    return sorted((one for one in known if one.number), reverse=True, key=lambda one: one.number)


def _owned(replica_set: Json, target: Target) -> bool:
    owners = replica_set["metadata"].get("ownerReferences") or []
    return any(owner.get("uid") == target.uid for owner in owners)


def _revision(replica_set: Json) -> Revision:
    meta, template = replica_set["metadata"], replica_set["spec"]["template"]
    annotations = meta.get("annotations") or {}
    number = annotations.get(REVISION, "")
    containers = template.get("spec", {}).get("containers") or []
    return Revision(
        int(number) if number.isascii() and number.isdecimal() else 0,
        meta.get("creationTimestamp", ""),
        tuple(str(container.get("image", "")) for container in containers),
        _without_hash(template),
        annotations,
    )


def _without_hash(template: Json) -> Json:
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    return template | {"metadata": meta | {"labels": labels}}


def rollback(client: Client, target: Target, revision: int = 0) -> Did:
    """Rolls an earlier template out again; revision 0 is the one before the newest."""
    for _ in range(TRIES):
        found = read(client, target)
        if found["spec"].get("paused"):
            raise Unfit(sentence("Its rollouts are paused. Resume them first."))
        known = _revisions(client, target, found)
        wanted = _wanted(known, revision)
        now = int((found["metadata"].get("annotations") or {}).get(REVISION, 0))
        if wanted.number == now:
            return Did(sentence("It has the template of revision %(now)s already."), {"now": now})
        try:
            client.request("PATCH", target.url(), _patch(target, found, wanted), JSON_PATCH)
        except errors.Conflict:
            continue
        return Did(
            sentence("Revision %(after)s is rolled out again, in place of revision %(before)s."),
            {"before": now, "after": wanted.number},
            {"revision": now},
            {"revision": wanted.number, "images": list(wanted.images)},
            ("rollback", {"revision": now}),
        )
    raise Unfit(sentence("It is changed again and again by others. Try once more."))


def _wanted(known: list[Revision], number: int) -> Revision:
    if number:
        for one in known:
            if one.number == number:
                return one
        raise Unfit(sentence("There is no revision %(number)s any more."), number=number)
    if len(known) < 2:
        raise Unfit(sentence("There is no earlier revision of it."))
    return known[1]


def _patch(target: Target, found: Json, wanted: Revision) -> list[Json]:
    """The template with the annotations of its time, if nobody changes the object meanwhile."""
    own = found["metadata"].get("annotations") or {}
    annotations = {key: value for key, value in own.items() if key in _ITS_OWN}
    annotations |= {k: v for k, v in wanted.annotations.items() if k not in _ITS_OWN}
    return [
        {"op": "test", "path": "/metadata/uid", "value": target.uid},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": found["metadata"]["resourceVersion"],
        },
        {"op": "replace", "path": "/spec/template", "value": wanted.template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
