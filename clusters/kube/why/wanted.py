"""What else would be worth asking for, from what is known already; nothing for what is well."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

from clusters.kube.client import SEGMENT
from clusters.kube.why import config, pending, refusals
from clusters.kube.why.around import (
    METADATA,
    METADATA_LIST,
    Around,
    PartName,
    Question,
    event_key,
)
from clusters.kube.why.explain import chosen, failed_jobs
from clusters.kube.why.neighbours import Claim
from clusters.kube.why.parts import Meta, Selector, find
from clusters.kube.why.pod import Pod
from clusters.kube.why.scheduling import Refused
from clusters.kube.why.subject import Subject
from clusters.kube.why.workloads import Workload

PAGE = 500
PAGES = 4
MOST_CLAIMS = 8
PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets"}
RUNNING = "status.phase!=Succeeded,status.phase!=Failed"
# Which reasons of the scheduler need which parts to be told well.
OF_NODES = frozenset({"resource", "pods", "taint"})
OF_CLAIMS = frozenset({"claim", "unbound", "no_volume", "zone"})


def wanted(subject: Subject, around: Around) -> list[Question]:
    """The next questions, none of them asked before; ask again when they are answered."""
    found: dict[tuple[str, str], Question] = {}
    for question in _questions(subject, around):
        if question is not None and not around.asked(question.part, question.name):
            found.setdefault((question.part, question.name), question)
    return list(found.values())


def _questions(subject: Subject, around: Around) -> Iterator[Question | None]:
    kind, meta, thing = subject.kind, subject.meta, subject.thing
    if isinstance(thing, Pod):
        yield from _of_pod(thing, around)
        return
    yield _events(kind, meta)
    if isinstance(thing, Workload):
        yield from _of_workload(kind, thing, around)
    elif kind == "PersistentVolumeClaim" and isinstance(thing, Claim):
        yield from _of_claim(thing)
        if meta.deletion_timestamp:
            name = f"{kind}/{meta.name}"
            yield _list("pods", name, meta.namespace, "pods", fieldSelector=RUNNING)


def _of_pod(pod: Pod, around: Around) -> Iterator[Question | None]:
    yield _events("Pod", pod.metadata)
    if _node_matters(pod, around):
        yield _one("node", pod.spec.node_name, "", "nodes")
    told, _ = pending.refused(pod, around)
    if told is not None:
        yield from _of_pending(pod, told, around)
    for it, _, _ in config.missing(pod, around):
        namespace, plural = pod.metadata.namespace, PLURALS[it.kind]
        yield _one(it.kind, it.name, namespace, plural, METADATA)
        if around.gone(it.kind, it.name):
            yield _list(config.LISTS[it.kind], "", namespace, plural, METADATA_LIST)


def _node_matters(pod: Pod, around: Around) -> bool:
    """Whether the pod's node may have to do with it."""
    if not pod.spec.node_name or pod.ended:
        return False
    if pod.metadata.deletion_timestamp or pod.status.phase == "Unknown":
        return True
    ready = find(pod.status.conditions, "Ready")
    if ready is None or ready.status == "True":
        return False
    if any("exec format error" in str(each.state) + str(each.last_state) for each in pod.statuses):
        return True
    silent = all(each.state.running is not None for each in pod.statuses)
    lost = any(event.reason == "NodeNotReady" for event in around.events(pod.metadata, "Pod"))
    return silent or lost


def _of_pending(pod: Pod, told: Refused, around: Around) -> Iterator[Question | None]:
    sorts = {reason.sort for reason in told.reasons}
    # The large lists come last: they may take the time of the others.
    for name in [*pod.claims()][:MOST_CLAIMS] if sorts & OF_CLAIMS else []:
        yield _one("claim", name, pod.metadata.namespace, "persistentvolumeclaims")
        claim: Claim | None = around.one("claim", name)
        if claim is not None:
            yield from _of_claim(claim)
    if sorts & OF_NODES:
        yield Question("nodes", "", f"/api/v1/nodes?limit={PAGE}", pages=PAGES)
    if sorts & {"resource"} and around.requested is None:
        params = {"fieldSelector": f"{RUNNING},spec.nodeName!=", "limit": PAGE}
        yield Question("requested", "", f"/api/v1/pods?{urlencode(params)}", pages=PAGES)


def _of_claim(claim: Claim) -> Iterator[Question | None]:
    if claim.status.phase == "Bound":
        yield _one("volume", claim.spec.volume_name, "", "persistentvolumes")
        return
    yield _events("PersistentVolumeClaim", claim.metadata)
    if claim.spec.storage_class_name:
        name = claim.spec.storage_class_name
        yield _one("class", name, "", "storageclasses", group="/apis/storage.k8s.io/v1")


def _of_workload(kind: str, found: Workload, around: Around) -> Iterator[Question | None]:
    meta = found.metadata
    if kind == "CronJob":
        yield _list("jobs", f"{kind}/{meta.name}", meta.namespace, "jobs", group="/apis/batch/v1")
        for job in failed_jobs(found, around):
            yield from _of_workload("Job", job, around)
        return
    if found.unready(kind):
        yield _pods(kind, meta, found.spec.selector)
        for pod, _ in chosen(kind, found, around):
            yield from _of_pod(pod, around)
    refused = {each.code for each in refusals.causes(kind, found, around)}
    if refused & {each.code for each in refusals.QUOTAS}:
        yield _list("quotas", meta.namespace, meta.namespace, "resourcequotas")
    if refused & {each.code for each in refusals.LIMITS}:
        yield _list("limits", meta.namespace, meta.namespace, "limitranges")


def _pods(kind: str, meta: Meta, selector: Selector | None) -> Question | None:
    chosen_by = _selector(selector)
    if not chosen_by:
        return None
    return _list("pods", f"{kind}/{meta.name}", meta.namespace, "pods", labelSelector=chosen_by)


def _selector(selector: Selector | None) -> str:
    """A label selector as the API takes it in a query."""
    if selector is None:
        return ""
    found = [f"{key}={value}" for key, value in selector.match_labels.items()]
    for each in selector.match_expressions:
        values = f" ({','.join(each.values)})"
        found.append({
            "In": f"{each.key} in{values}", "NotIn": f"{each.key} notin{values}",
            "Exists": each.key, "DoesNotExist": f"!{each.key}",
        }.get(each.operator, each.key))  # fmt: skip
    return ",".join(found)


def _events(kind: str, meta: Meta) -> Question | None:
    """The events of an object; those of what has no namespace are in `default`."""
    fields = f"involvedObject.name={meta.name},involvedObject.kind={kind}"
    # Kubelets write their node's name where its uid should be.
    if kind != "Node" and meta.uid:
        fields += f",involvedObject.uid={meta.uid}"
    namespace = meta.namespace or "default"
    return _list("events", event_key(kind, meta), namespace, "events", fieldSelector=fields)


def _list(
    part: PartName, name: str, namespace: str, plural: str, accept: str = "application/json",
    **params: str,
) -> Question | None:  # fmt: skip
    group = params.pop("group", "/api/v1")
    if not SEGMENT.match(namespace):
        return None
    query = urlencode({**params, "limit": PAGE})
    path = f"{group}/namespaces/{quote(namespace)}/{plural}?{query}"
    return Question(part, name, path, accept)


def _one(
    part: PartName, name: str, namespace: str, plural: str, accept: str = "application/json",
    *, group: str = "/api/v1",
) -> Question | None:  # fmt: skip
    # The name may come out of a message: none that could lead to another address.
    if not SEGMENT.match(name) or (namespace and not SEGMENT.match(namespace)):
        return None
    inside = f"/namespaces/{quote(namespace)}" if namespace else ""
    return Question(part, name, f"{group}{inside}/{plural}/{quote(name)}", accept)
