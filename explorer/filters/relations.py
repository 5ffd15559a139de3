"""What stands around an object, put in order for a page or an answer: above it, beside, below."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.models import Object, Tally
from clusters.services.looking import Related, Relative
from explorer import store
from explorer.filters.paths import address
from explorer.filters.words import title
from explorer.store import Seen
from teams import access
from teams.models import User

# In this order. What is above comes first, what is below last.
RELATIONS: dict[str, Promise] = {
    "owner": _("Owned by"),
    "release": _("Helm release"),
    "subject": _("About"),
    "target": _("Scales"),
    "node": _("Runs on"),
    "owned": _("Owns"),
    "pods": _("Selects"),
    "user": _("Used by"),
    "service": _("Services"),
    "ingress": _("Ingresses"),
    "autoscaler": _("Autoscalers"),
    "budget": _("Disruption budgets"),
    "policy": _("Network policies"),
    "config": _("ConfigMaps"),
    "secret": _("Secrets"),
    "claim": _("Volume claims"),
    "volume": _("Volume"),
    "class": _("Storage class"),
    "account": _("Service account"),
}
# So many of one relation are shown.
MOST = 50


@dataclass(frozen=True)
class Group:
    """What stands in one relation; `more` is how many are not in `relatives`."""

    relation: str
    label: Promise
    relatives: list[Relative]
    more: int


@dataclass(frozen=True)
class Listed:
    """A list that the object leads to, with how many are in it."""

    label: str
    url: str
    n: int


def grouped(found: Related) -> list[Group]:
    """The relatives by relation, those that need a person first."""
    return [group for group in map(_group, RELATIONS, [found.relatives] * len(RELATIONS)) if group]


def seen(groups: Iterable[Group]) -> dict[int, Seen]:
    """By key what is stored of the relatives, with how fresh it is."""
    rows = [each.row for group in groups for each in group.relatives if each.row]
    found = store.seen(rows, {row.cluster_id: row.cluster for row in rows})
    return {each.object.pk: each for each in found}


def _group(relation: str, relatives: Iterable[Relative]) -> Group | None:
    mine = [each for each in relatives if each.relation == relation]
    if not mine:
        return None
    # Owners and what they made stand in their own order.
    if relation not in {"owner", "owned"}:
        mine.sort(key=lambda each: (_is_well(each.row), each.kind, each.namespace, each.name))
    return Group(relation, RELATIONS[relation], mine[:MOST], len(mine[MOST:]))


def _is_well(row: Object | None) -> bool:
    return row is None or row.health in {"healthy", "idle"}


def lists(user: User, row: Object) -> list[Listed]:
    """The lists of what is on a node or in a namespace, and of the pods below a workload."""
    return list(_lists(user, row))


def _lists(user: User, row: Object) -> Iterator[Listed]:
    here = {"cluster": row.cluster.name}
    if row.kind == "Node":
        mine = access.visible(user, Object).filter(cluster=row.cluster_id, node=row.name)
        n = mine.filter(kind="Pod").count()
        yield _listed("Pod", n, here | {"node": row.name})
    elif row.kind == "Namespace":
        tallies = access.visible(user, Tally).filter(cluster=row.cluster_id, namespace=row.name)
        sums = tallies.filter(n__gt=0).order_by("kind").values_list("kind").annotate(n=Sum("n"))
        for kind, n in sums:
            yield _listed(kind, n, here | {"namespace": row.name})


def _listed(kind: str, n: int, asked: dict[str, str]) -> Listed:
    return Listed(title(kind), address(kind, urlencode(asked)), n)
