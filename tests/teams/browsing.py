"""People who are signed in, and what they send."""

from typing import Any

from django.test import Client

from clusters.models import Cluster
from teams.models import User


def of(*users: User) -> list[Client]:
    """A signed-in browser for each."""
    clients = [Client(headers={"User-Agent": "Firefox/1"}) for _ in users]
    for client, user in zip(clients, users, strict=True):
        client.force_login(user)
    return clients


def patch(client: Client, cluster: Cluster, body: Any, **headers: str) -> Any:
    path = f"/api/v1/clusters/{cluster.pk}"
    return client.patch(path, body, content_type="application/json", headers=headers)
