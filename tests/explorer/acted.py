"""Asking for acts as the API takes them, and what became of them."""

import json
from typing import Any

from django.test import Client

from clusters.models import Cluster, Object
from operations import executor
from operations.models import Operation
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.kube.acted import CORE


def seen(cluster: Cluster, kind: str, found: dict[str, Any], **values: Any) -> Object:
    """The row of an object, as the watcher would have it."""
    meta = found["metadata"]
    return factories.PodFactory.create(
        cluster=cluster, kind=kind, namespace=meta.get("namespace", ""), name=meta["name"],
        uid=meta["uid"], owner_kind="", owner_name="", **values,
    )  # fmt: skip


def ask(client: Client, url: str, user: User, body: Any, **headers: str) -> Any:
    client.force_login(user)
    return client.post(url, json.dumps(body), content_type="application/json", headers=headers)


def ran(answer: Any) -> Operation:
    """The operation that was answered, after it ran."""
    assert answer.status_code == 202, answer.content
    operation = Operation.objects.get(pk=answer.json()["operation"]["id"])
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def told(operation: Operation) -> list[tuple[str, str]]:
    return [(step.status, step.told) for step in operation.steps.order_by("position")]


def config(cluster: RealCluster, namespace: str, name: str) -> dict[str, Any]:
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    meta = {"name": name}
    return cluster.api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
