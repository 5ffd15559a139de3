"""The fleet and the list of its clusters."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_GET

from clusters.models import Cluster, Environment, Freshness, Namespace, Status
from clusters.store import attention, capacity, changes, queries
from clusters.views import rows
from clusters.views.addresses import mended
from teams import access
from teams.models import User
from teams.roles import Action
from teams.views import SignedInRequest, fragment

FLEET = "clusters/fleet.html"
LIST = "clusters/list.html"


@require_GET
def fleet(request: SignedInRequest) -> HttpResponse:
    """What needs a person, and how each cluster is."""
    held = access.holdings(request.user)
    found = queries.clusters(held)
    pods = queries.health_counts(held, "Pod")
    shown = rows.rows(held, found, pods)
    needs = attention.attention(held, found, {row.cluster.pk for row in shown if row.whole})
    objects = changes.rows_at(held, [entry.place for entry in needs.entries])
    context = {
        "rows": rows.in_order(shown, "env"),
        "summary": queries.summary(found, pods, queries.health_counts(held, "Node")),
        "use": capacity.fleet({row.cluster.pk: row.full for row in shown if row.full}),
        "whole": any(row.whole for row in shown),
        "attention": needs,
        "entries": [
            (entry, mended(entry, request.user, objects.get(entry.place)))
            for entry in needs.entries
        ],
        "behind": [each for each in found if each.freshness != Freshness.LIVE],
        "may_register": access.is_platform_admin(request.user),
        "may_install": access.may_anywhere(request.user, Action.OPERATE, Cluster, Namespace),
    }
    return fragment(request, FLEET, "overview", context)


@dataclass(frozen=True)
class ListFilter:
    """The question in the address of the list: `q` is a part of the name, region or version."""

    q: str = ""
    env: str = ""
    status: str = ""
    sort: str = "name"

    @classmethod
    def of(cls, query: QueryDict) -> "ListFilter":
        """Unknown words ask for nothing."""
        env, status, sort = query.get("env", ""), query.get("status", ""), query.get("sort", "")
        return cls(
            q=query.get("q", "").strip()[:63],
            env=env if env in Environment.values else "",
            status=status if status in Status.values else "",
            sort=sort if sort.removeprefix("-") in rows.SORTS else "name",
        )

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.env or self.status)

    def takes(self, cluster: Cluster) -> bool:
        words = (cluster.name, cluster.region, cluster.version)
        return (
            self.env in {"", cluster.environment}
            and self.status in {"", cluster.status}
            and any(self.q.lower() in word.lower() for word in words)
        )


@require_GET
def clusters(request: SignedInRequest) -> HttpResponse:
    """The list with what may be done to each, filtered and sorted as the address says."""
    wanted = ListFilter.of(request.GET)
    held = access.holdings(request.user)
    known = queries.clusters(held)
    found = [cluster for cluster in known if wanted.takes(cluster)]
    pods = queries.health_counts(held, "Pod")
    context = {
        "rows": rows.in_order(rows.rows(held, found, pods), wanted.sort),
        "known": len(known),
        "filter": wanted,
        "environments": Environment.choices,
        "statuses": Status.choices,
        "administered": _administered(request.user),
        "may_register": access.is_platform_admin(request.user),
    }
    return fragment(request, LIST, "table", context)


def _administered(user: User) -> set[UUID]:
    return set(access.visible(user, Cluster, Action.ADMIN).values_list("pk", flat=True))
