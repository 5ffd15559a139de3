"""Deleting a cluster: MCM forgets everything of it, the cluster itself is untouched."""

from typing import Any

import pytest
from django.test import Client
from guardian.models import GroupObjectPermission

from clusters.kube import kubeconfig
from clusters.models import Cluster, KindState, Lease, Namespace, Object
from clusters.store import leases
from deployments.models import Release
from operations.models import Operation
from teams.models import AuditEvent, Grant, User
from testbed.cluster import Cluster as RealCluster


@pytest.mark.cluster
def test_the_cluster_itself_is_untouched(
    client: Client, owner: User, prod: Cluster, cluster: RealCluster
) -> None:
    prod.connection = kubeconfig.parse(cluster.kubeconfig)
    prod.save()
    before = {item["metadata"]["uid"] for item in cluster.api.items("/api/v1/nodes")}
    client.force_login(owner)
    answer = client.delete(f"/api/v1/clusters/{prod.pk}")
    assert "untouched" in answer.json()["message"]
    assert {item["metadata"]["uid"] for item in cluster.api.items("/api/v1/nodes")} == before
    assert not Cluster.objects.exists()


@pytest.mark.usefixtures("pod", "release", "operation", "shop_viewer", "bank")
def test_nothing_of_it_is_left(
    client: Client, admin: User, prod: Cluster, other: Cluster, outsider: User
) -> None:
    KindState.objects.create(cluster=prod, kind="Pod", state="watching")
    leases.renew_and_take("me")
    kept = Grant.objects.filter(team__members=outsider)
    client.force_login(admin)
    answer = client.post(f"/clusters/{prod.pk}/delete/", {"confirm_name": "prod"})
    assert answer.headers["Location"] == "/clusters/"
    assert list(Cluster.objects.all()) == [other]
    rest: list[Any] = [Namespace, Object, KindState, Release, Operation]
    assert [model for model in rest if model._default_manager.exists()] == []
    assert list(Lease.objects.values_list("cluster__name", flat=True)) == ["other"]
    assert list(Grant.objects.all()) == list(kept)
    assert set(GroupObjectPermission.objects.values_list("object_pk", flat=True)) == {str(other.pk)}
    event = AuditEvent.objects.get(action="cluster.delete")
    assert (event.object_name, event.actor_name) == ("prod", "admin")


def test_the_name_must_be_typed(client: Client, owner: User, prod: Cluster) -> None:
    client.force_login(owner)
    for typed in ("", "Prod", "other"):
        answer = client.post(f"/clusters/{prod.pk}/delete/", {"confirm_name": typed})
        assert answer.status_code == 422
    assert Cluster.objects.exists()
