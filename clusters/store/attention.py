"""What needs a person, the most urgent first: what is wrong, since when, since which change."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters.models import Cluster, Environment, Freshness, Object
from clusters.store import standing
from clusters.store.changes import SLIM, Change, Place, changes, rows_at, top_owners
from clusters.store.standing import Entry
from teams import access
from teams.access import Who

# So many are shown; what is beyond them is said as a number.
MOST_SHOWN = 20
# The newest so many rows of each trouble are looked at; a fleet may have far more.
MOST_ROWS = 200
# Of so many groups of pods the owner is looked up: more than are shown, since some fall together.
MOST_LOOKED_UP = 2 * MOST_SHOWN
# What is still on its way so long after it began needs a person.
PATIENCE = timedelta(minutes=5)
CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet")
# More nodes of one cluster in one state than this are one entry.
MOST_NODES = 3
MOST_STATES = 3
URGENCY = {Environment.PROD: 0, Environment.STAGING: 1, Environment.DEV: 2}


@dataclass(frozen=True)
class Attention:
    """`entries` are the most urgent; `total` is how many there are, as far as was looked."""

    entries: list[Entry]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.entries)


@dataclass
class Group:
    """Pods of one owner, or Jobs of one, that are in the same trouble."""

    place: Place
    rows: list[Object] = field(default_factory=list)
    # The ReplicaSet of the newest pod: the revision that is in trouble.
    revision: Object | None = None

    @property
    def since(self) -> datetime:
        return min(row.since for row in self.rows)

    @property
    def failing(self) -> bool:
        return any(row.health == "failing" for row in self.rows)

    def words(self, wanted: int = 0) -> str:
        """How many are in which state, of so many that are wanted (0: not known)."""
        states = Counter((row.kind, row.status) for row in self.rows).most_common(MOST_STATES)
        return ", ".join(_count(kind, n, status, wanted) for (kind, status), n in states)


def attention(who: Who, clusters: list[Cluster], whole: set[UUID]) -> Attention:
    """Over these clusters of the person, of which `whole` are seen as a whole."""
    # Of a cluster that does not answer only that is known.
    seen = {each.pk: each for each in clusters if each.freshness != Freshness.UNREACHABLE}
    rows = access.visible(who, Object).filter(cluster__in=seen).only(*SLIM)
    troubled = [*_failing_pods(rows), *_stuck_pods(rows), *_failed_jobs(rows)]
    groups = sorted(_by_owner(troubled), key=lambda group: _group_urgency(group, seen))
    owned = _merged(who, groups[:MOST_LOOKED_UP])
    found = [
        *standing.entries(clusters, whole),
        *_nodes(rows, seen),
        *(_owned(group, seen[group.place.cluster]) for group in owned),
        *_controllers(rows, seen, {group.place for group in owned}),
        *_claims(rows, seen),
    ]
    found.sort(key=_urgency)
    shown = found[:MOST_SHOWN]
    _explain(who, shown, {group.place: group for group in owned})
    return Attention(shown, len(found) + len(groups[MOST_LOOKED_UP:]))


def _urgency(entry: Entry) -> tuple[bool, int, float]:
    moment = entry.since or entry.cluster.created
    return not entry.bad, URGENCY[Environment(entry.cluster.environment)], -moment.timestamp()


def _group_urgency(group: Group, clusters: dict[UUID, Cluster]) -> tuple[bool, int, float]:
    environment = Environment(clusters[group.place.cluster].environment)
    return not group.failing, URGENCY[environment], -group.since.timestamp()


def _newest(rows: QuerySet[Object], wanted: Q) -> list[Object]:
    return list(rows.filter(wanted).order_by("-since")[:MOST_ROWS])


def _failing_pods(rows: QuerySet[Object]) -> list[Object]:
    return _newest(rows, Q(kind="Pod", health="failing"))


def _stuck_pods(rows: QuerySet[Object]) -> list[Object]:
    late = timezone.now() - PATIENCE
    return _newest(rows, Q(kind="Pod", health="progressing", since__lt=late))


def _failed_jobs(rows: QuerySet[Object]) -> list[Object]:
    return _newest(rows, Q(kind="Job", health="failing"))


def _by_owner(rows: list[Object]) -> list[Group]:
    """Rows by their direct owner; a Job that failed stands with its own pods."""
    groups: dict[Place, Group] = {}
    for row in rows:
        place = Place.of(row) if row.kind == "Job" else Place.of_owner(row)
        groups.setdefault(place, Group(place)).rows.append(row)
    return list(groups.values())


def _merged(who: Who, groups: list[Group]) -> list[Group]:
    """The same by the owner that people named: Deployments and CronJobs."""
    owners = top_owners(who, (group.place for group in groups))
    merged: dict[Place, Group] = {}
    for group in groups:
        place, between = owners[group.place]
        if between and between.kind == "Job" and between.health == "idle":
            continue  # tries that failed, of a Job that then succeeded
        whole = merged.setdefault(place, Group(place))
        whole.rows += group.rows
        if between and (not whole.revision or between.created > whole.revision.created):
            whole.revision = between
    return list(merged.values())


def _owned(group: Group, cluster: Cluster) -> Entry:
    leaving = all(row.status == "Terminating" for row in group.rows)
    pods = any(row.kind == "Pod" for row in group.rows)
    return Entry(
        bad=group.failing,
        cluster=cluster,
        kind=group.place.kind,
        namespace=group.place.namespace,
        name=group.place.name,
        words=group.words(),
        since=group.since,
        # What does not end is no trouble of its owner, whose page would say that all is well.
        leads_to="leaving" if leaving else "pods" if pods else "workloads",
        pod=group.rows[0].pk if leaving and len(group.rows) == 1 else None,
        health="failing" if group.failing else "progressing",
        reason=next((row.facts["reason"] for row in group.rows if row.facts.get("reason")), ""),
    )


def _count(kind: str, n: int, status: str, wanted: int) -> str:
    values = {"n": n, "status": status, "wanted": wanted}
    if kind == "Job":
        return ngettext("%(n)d job %(status)s", "%(n)d jobs %(status)s", n) % values
    if wanted < n:  # a rollout has more for a while
        return ngettext("%(n)d pod %(status)s", "%(n)d pods %(status)s", n) % values
    return ngettext(
        "%(n)d of %(wanted)d pod %(status)s", "%(n)d of %(wanted)d pods %(status)s", wanted
    ) % values  # fmt: skip


def _nodes(rows: QuerySet[Object], clusters: dict[UUID, Cluster]) -> Iterator[Entry]:
    """Nodes that are not ready or under pressure; who cordons a node knows it."""
    states: dict[tuple[UUID, str], list[Object]] = defaultdict(list)
    for node in _newest(rows, Q(kind="Node", health__in=("failing", "degraded", "unknown"))):
        if node.status != "Ready,SchedulingDisabled":
            states[node.cluster_id, node.status].append(node)
    for (cluster_id, status), nodes in states.items():
        said = _("Under pressure") if status == "Ready" else status
        if len(nodes) <= MOST_NODES:
            yield from (_node(clusters[cluster_id], node, node.name, said) for node in nodes)
        else:
            name = ngettext("%(n)d node", "%(n)d nodes", len(nodes)) % {"n": len(nodes)}
            oldest = min(nodes, key=lambda node: node.since)
            yield _node(clusters[cluster_id], oldest, name, said)


def _node(cluster: Cluster, node: Object, name: str, said: str) -> Entry:
    return Entry(
        bad=node.health != "degraded", cluster=cluster, kind="Node", name=name,
        words=str(node.facts.get("reason") or said), since=node.since, leads_to="nodes",
    )  # fmt: skip


def _controllers(
    rows: QuerySet[Object], clusters: dict[UUID, Cluster], told: set[Place]
) -> Iterator[Entry]:
    """Controllers that lack replicas although none of their pods says why, or have had none for
    long: pods that run and are never ready are no trouble of their own.
    """
    lacks = Q(health__in=("failing", "degraded"))
    late = timezone.now() - PATIENCE
    lacks |= Q(health="progressing", ready=0, wanted__gt=0, since__lt=late)
    for row in _newest(rows, lacks & Q(kind__in=CONTROLLERS)):
        if Place.of(row) not in told:
            yield Entry(
                bad=row.health == "failing",
                cluster=clusters[row.cluster_id],
                kind=row.kind,
                namespace=row.namespace,
                name=row.name,
                words=_("%(ready)d of %(wanted)d ready")
                % {"ready": row.ready, "wanted": row.wanted},
                since=row.since,
                leads_to="workloads",
                reason=str(row.facts.get("reason", "")),
            )


def _claims(rows: QuerySet[Object], clusters: dict[UUID, Cluster]) -> Iterator[Entry]:
    late = timezone.now() - PATIENCE
    waiting = Q(kind="PersistentVolumeClaim", health__in=("progressing", "failing"))
    for claim in _newest(rows, waiting & Q(since__lt=late)):
        yield Entry(
            bad=claim.health == "failing", cluster=clusters[claim.cluster_id], kind=claim.kind,
            namespace=claim.namespace, name=claim.name, words=claim.status, since=claim.since,
            leads_to="events",
        )  # fmt: skip


def _explain(who: Who, shown: list[Entry], groups: dict[Place, Group]) -> None:
    """Adds to what is shown how many pods are wanted, and after which change it began."""
    told = {entry.place: groups[entry.place] for entry in shown if entry.place in groups}
    revisions = [
        g.revision for g in told.values() if g.revision and g.revision.kind == "ReplicaSet"
    ]
    found: dict[Place, Change] = changes(who, revisions)
    owners = rows_at(who, told)
    for entry in shown:
        group, owner = told.get(entry.place), owners.get(entry.place)
        if group and group.revision:
            entry.change = found.get(Place.of(group.revision))
        if owner:
            entry.owner_created = owner.created
        if group and owner and owner.kind in CONTROLLERS:
            entry.words = group.words(owner.wanted)
