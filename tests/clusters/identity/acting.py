"""Work that people start, and as whom the cluster saw it."""

from collections.abc import Callable
from typing import Any

from clusters.models import Cluster
from deployments import services as deployments
from deployments.services import InstallRequest
from operations import executor
from operations.models import Operation
from teams.models import User
from testbed.cluster import Cluster as RealCluster

RBAC = "/apis/rbac.authorization.k8s.io/v1"
# Applies the manifest as the page gives it.
Applied = Callable[[], None]


def installed(
    real: Cluster, namespace: str, what: Any, by: User, release: str = "web"
) -> Operation:
    wanted = InstallRequest(real, namespace, release, what, timeout=60)
    operation = deployments.request_install(wanted, by=by)
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def as_whom(cluster: RealCluster, namespace: str, resource: str, *verbs: str) -> set[Any]:
    """User and MCM's groups of each event of the audit log; None for the account itself."""
    found = set()
    for event in cluster.audit():
        what = event.get("objectRef", {})
        where = (what.get("namespace"), what.get("resource"))
        if where == (namespace, resource) and event["verb"] in verbs:
            person = event.get("impersonatedUser")
            groups = tuple(g for g in (person or {}).get("groups", ()) if g.startswith("mcm:"))
            found.add((person["username"], groups) if person else None)
    return found
