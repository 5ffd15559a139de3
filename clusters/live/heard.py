"""Of which changes a person may hear."""

from dataclasses import dataclass
from uuid import UUID

from clusters.models import Cluster, Namespace
from teams.access import AnyUser, Held
from teams.roles import Action


@dataclass(frozen=True)
class Scopes:
    """Of which changes a live socket may hear."""

    everything: bool
    clusters: frozenset[UUID]
    namespaces: frozenset[tuple[UUID, str]]
    seen_clusters: frozenset[UUID]

    def hears(self, cluster_id: UUID, namespace: str | None) -> bool:
        """None: of the cluster itself; "": of what stands outside namespaces."""
        if self.everything or cluster_id in self.clusters:
            return True
        if namespace is None:
            return cluster_id in self.seen_clusters
        return (cluster_id, namespace) in self.namespaces


def scopes(user: AnyUser) -> Scopes:
    held = Held(user, Action.VIEW)
    if held.everything or held.nothing:
        return Scopes(held.everything, frozenset(), frozenset(), frozenset())
    clusters = held.ids(Cluster)
    spaces = Namespace.objects.filter(pk__in=held.ids(Namespace))
    pairs = frozenset(spaces.values_list("cluster_id", "name"))
    return Scopes(False, clusters, pairs, clusters | {pair[0] for pair in pairs})
