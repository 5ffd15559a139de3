"""What needs a person: named by what people know, since when, and since which change."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Cluster, Environment, KindState, Namespace, Object, Status
from clusters.store import attention, queries
from clusters.store.attention import Attention
from clusters.store.changes import changed_images, short_image
from clusters.views.addresses import mended
from teams.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def live(prod: Cluster) -> Cluster:
    """Prod answers and is watched."""
    prod.observed_at = timezone.now()
    prod.save()
    return prod


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def made(cluster: Cluster, kind: str, name: str, **values: Any) -> Object:
    return factories.PodFactory.create(cluster=cluster, kind=kind, name=name, **values)


def needs(user: User) -> Attention:
    found = queries.clusters(user)
    return attention.attention(user, found, queries.wholly_seen(user, found))


def rollout(cluster: Cluster, *images: str, owner: str = "web", namespace: str = "shop") -> None:
    """A Deployment with a ReplicaSet for each of these images; two pods of the newest crash."""
    place: dict[str, Any] = {"cluster": cluster, "namespace": namespace}
    wanted: dict[str, Any] = {
        "ready": 0,
        "wanted": 3,
        "health": "degraded",
        "status": "Unavailable",
    }
    made(kind="Deployment", name=owner, owner_kind="", owner_name="", **place, **wanted)
    for n, image in enumerate(images, 1):
        made(
            kind="ReplicaSet", name=f"{owner}-{n}", owner_kind="Deployment", owner_name=owner,
            images=[image], facts={"revision": str(n)}, created=ago(minutes=60 - n), **place,
        )  # fmt: skip
    for name in ("a", "b"):
        made(
            kind="Pod", name=f"{owner}-{len(images)}-{name}", owner_name=f"{owner}-{len(images)}",
            status="CrashLoopBackOff", health="failing", since=ago(minutes=12), **place,
        )  # fmt: skip


def test_failing_pods_are_told_by_their_deployment_and_its_last_change(
    prod: Cluster, viewer: User
) -> None:
    # As numbers: revision 10 comes after 9.
    rollout(prod, *(f"registry.example.com/shop/web:1.{n}" for n in range(1, 11)))
    [entry] = needs(viewer).entries
    assert (entry.kind, entry.name, entry.namespace) == ("Deployment", "web", "shop")
    assert entry.words == "2 of 3 pods CrashLoopBackOff"
    assert entry.since == Object.objects.filter(health="failing").earliest("since").since
    assert entry.change
    assert entry.change.revision == "10"
    assert entry.change.images == (("web:1.9", "web:1.10"),)
    assert not entry.change.first


def test_the_first_revision_has_nothing_before_it(prod: Cluster, viewer: User) -> None:
    rollout(prod, "web:1")
    [entry] = needs(viewer).entries
    assert entry.change
    assert (entry.change.first, entry.change.images) == (True, ())


def test_a_revision_that_is_no_number_is_the_oldest(prod: Cluster, viewer: User) -> None:
    rollout(prod, "web:1", "web:2")
    Object.objects.filter(name="web-1").update(facts={"revision": "\u0664"})
    [entry] = needs(viewer).entries
    assert entry.change
    assert entry.change.images == (("web:1", "web:2"),)


def test_others_are_told_by_their_owner_and_its_age(prod: Cluster, viewer: User) -> None:
    made(prod, "StatefulSet", "db", owner_name="", wanted=1, created=ago(days=3))
    made(
        prod, "Pod", "db-0", owner_kind="StatefulSet", owner_name="db",
        status="OOMKilled", health="failing",
    )  # fmt: skip
    made(prod, "Pod", "alone", owner_kind="", owner_name="", status="Error", health="failing")
    by_name = {entry.name: entry for entry in needs(viewer).entries}
    assert by_name["db"].words == "1 of 1 pod OOMKilled"
    assert by_name["db"].change is None
    assert by_name["db"].owner_created is not None
    assert by_name["alone"].kind == "Pod"


def test_jobs_are_told_by_their_cron_job_unless_a_later_try_succeeded(
    prod: Cluster, viewer: User
) -> None:
    for name, health, status in (
        ("report-1", "failing", "Failed"),
        ("report-2", "idle", "Complete"),
    ):
        made(
            prod, "Job", name, owner_kind="CronJob", owner_name="report",
            health=health, status=status,
        )  # fmt: skip
        made(
            prod, "Pod", f"{name}-x", owner_kind="Job", owner_name=name,
            health="failing", status="Error",
        )  # fmt: skip
    [entry] = needs(viewer).entries
    assert (entry.kind, entry.name) == ("CronJob", "report")
    assert entry.words == "1 pod Error, 1 job Failed"


def test_waiting_is_told_only_when_it_lasts(prod: Cluster, viewer: User) -> None:
    for name, minutes in (("soon", 1), ("long", 9)):
        made(
            prod, "Pod", name, owner_name="", status="Pending", health="progressing",
            since=ago(minutes=minutes),
        )  # fmt: skip
        made(
            prod, "PersistentVolumeClaim", f"{name}-claim", owner_name="", status="Pending",
            health="progressing", since=ago(minutes=minutes),
        )  # fmt: skip
    assert {entry.name for entry in needs(viewer).entries} == {"long", "long-claim"}


def test_a_controller_is_told_when_its_pods_do_not_say_why(prod: Cluster, viewer: User) -> None:
    made(
        prod, "Deployment", "quota", owner_name="", status="ReplicaFailure", health="failing",
        ready=0, wanted=2,
    )  # fmt: skip
    [entry] = needs(viewer).entries
    assert (entry.words, entry.leads_to) == ("0 of 2 ready", "workloads")


def test_a_controller_without_a_ready_pod_is_told_when_it_lasts(
    prod: Cluster, viewer: User
) -> None:
    """Pods that run and never become ready have nothing to say themselves."""
    waits: dict[str, Any] = {"owner_name": "", "status": "Progressing", "health": "progressing"}
    for name, ready, minutes in (("never", 0, 9), ("soon", 0, 1), ("growing", 1, 9)):
        made(prod, "Deployment", name, ready=ready, wanted=2, since=ago(minutes=minutes), **waits)
    [entry] = needs(viewer).entries
    assert (entry.name, entry.words, entry.bad) == ("never", "0 of 2 ready", False)


def test_pods_that_do_not_end_lead_to_themselves(prod: Cluster, viewer: User, admin: User) -> None:
    """Their Deployment is well, and its page would say so."""
    stays: dict[str, Any] = {"status": "Terminating", "health": "progressing"}
    well: dict[str, Any] = {"owner_kind": "", "owner_name": "", "health": "healthy"}
    one, two = (made(prod, "Deployment", name, **well) for name in ("one", "two"))
    owned = [
        made(
            prod, "Pod", f"{owner.name}-{n}", owner_kind="Deployment", owner_name=owner.name,
            since=ago(minutes=9), **stays,
        )
        for owner, many in ((one, 1), (two, 2)) for n in range(many)
    ]  # fmt: skip
    entries = {entry.name: entry for entry in needs(viewer).entries}
    rows = {owner.name: owner for owner in (one, two)}
    addresses = {name: mended(entry, admin, rows[name]) for name, entry in entries.items()}
    assert addresses == {
        "one": f"/pods/{owned[0].pk}/",
        "two": "/pods/?cluster=prod&namespace=shop&q=two&status=Terminating",
    }


def test_nodes_in_trouble_are_told_together_when_they_are_many(prod: Cluster, viewer: User) -> None:
    for n in range(5):
        factories.NodeFactory.create(
            cluster=prod, status="NotReady", health="failing", name=f"n{n}"
        )
    factories.NodeFactory.create(cluster=prod, health="degraded", name="pressed")
    factories.NodeFactory.create(
        cluster=prod, health="degraded", status="Ready,SchedulingDisabled", name="cordoned"
    )
    told = [(entry.name, entry.words, entry.bad) for entry in needs(viewer).entries]
    assert told == [("5 nodes", "NotReady", True), ("pressed", "Under pressure", False)]


def test_of_an_unreachable_cluster_only_that_is_told(prod: Cluster, viewer: User) -> None:
    rollout(prod, "web:1")
    Cluster.objects.update(status=Status.UNREACHABLE, status_reason="nothing listens there")
    [entry] = needs(viewer).entries
    assert (entry.kind, entry.words, entry.bad) == ("Cluster", "Unreachable", True)
    assert entry.reason == "nothing listens there"
    assert entry.since == Cluster.objects.get().status_since


def test_a_stale_cluster_and_one_never_seen_are_told(prod: Cluster, viewer: User) -> None:
    Cluster.objects.update(observed_at=ago(minutes=2))
    [entry] = needs(viewer).entries
    assert entry.words == "Not seen any more"
    Cluster.objects.update(observed_at=None)
    assert needs(viewer).entries == []
    Cluster.objects.update(created=ago(minutes=2))
    [entry] = needs(viewer).entries
    assert entry.words == "Not seen yet"


@pytest.mark.parametrize(
    ("left", "words", "bad"),
    [
        (timedelta(days=29, hours=1), "expires in 29 days", False),
        (timedelta(hours=30.5), "expires within 31 hours", False),
        (timedelta(minutes=20), "expires within 1 hour", True),
        (-timedelta(days=1), "has expired", True),
    ],
)
def test_credentials_that_run_out_are_told(
    prod: Cluster, viewer: User, left: timedelta, words: str, bad: bool
) -> None:
    Cluster.objects.update(credential_expires=timezone.now() + left)
    [entry] = needs(viewer).entries
    assert (entry.words, entry.bad, entry.leads_to) == (words, bad, "credentials")
    Cluster.objects.update(credential_expires=ago(days=-31))
    assert needs(viewer).entries == []


def test_a_kind_without_which_nothing_is_seen_is_told(prod: Cluster, viewer: User) -> None:
    for kind in ("Pod", "Event"):
        KindState.objects.create(cluster=prod, kind=kind, state=KindState.State.FORBIDDEN)
    [entry] = needs(viewer).entries
    assert entry.words == "MCM may not read Pod there"


def test_what_was_turned_on_and_is_not_there_is_told(prod: Cluster, viewer: User) -> None:
    for kind in ("Widget.a.example", "HorizontalPodAutoscaler"):
        KindState.objects.create(cluster=prod, kind=kind, state=KindState.State.ABSENT)
    [entry] = needs(viewer).entries
    assert entry.words == "The cluster does not have Widget.a.example"


def test_a_namespaces_viewer_is_told_of_that_namespace_only(
    prod: Cluster, shop: Namespace, bank: Namespace, shop_viewer: User
) -> None:
    rollout(prod, "web:1", "web:2")
    rollout(prod, "vault:1", "vault:2", owner="vault", namespace="bank")
    factories.NodeFactory.create(cluster=prod, status="NotReady", health="failing")
    Cluster.objects.update(credential_expires=ago(days=1))
    [entry] = needs(shop_viewer).entries
    assert entry.name == "web"
    assert entry.change
    assert entry.change.images == (("web:1", "web:2"),)


def test_the_most_urgent_stands_first_and_the_rest_is_counted(
    prod: Cluster, other: Cluster, admin: User
) -> None:
    Cluster.objects.filter(pk=other.pk).update(observed_at=timezone.now())
    assert other.environment == Environment.DEV
    made(other, "Pod", "dev-bad", owner_name="", status="Error", health="failing")
    made(prod, "Pod", "late", owner_name="", status="Pending", health="progressing")
    for n in range(30):
        made(
            prod, "Pod", f"bad-{n}", owner_name="", status="Error", health="failing",
            since=ago(minutes=n),
        )  # fmt: skip
    found = needs(admin)
    assert [entry.name for entry in found.entries] == [f"bad-{n}" for n in range(20)]
    assert (found.total, found.more) == (32, 12)


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        (["a/web:1"], ["a/web:2"], (("web:1", "web:2"),)),
        (["web:1", "log:1"], ["log:1", "web:2"], (("web:1", "web:2"),)),
        (["web:1"], ["web:1", "log:1"], (("", "log:1"),)),
        (["web:1", "log:1"], ["web:1"], (("log:1", ""),)),
        (["x:5000/web"], ["y:5000/web"], (("x:5000/web", "y:5000/web"),)),
        (["nginx:1"], ["envoy:2"], (("nginx:1", "envoy:2"),)),
        (["web@sha256:" + "a" * 64], ["web:2"], (("web@aaaaaaaaaaaa", "web:2"),)),
        (["web:1"], ["web:1"], ()),
    ],
)
def test_images_of_one_repository_stand_together(
    old: list[str], new: list[str], pairs: tuple[tuple[str, str], ...]
) -> None:
    assert changed_images(old, new) == pairs


def test_a_short_image_needs_no_registry() -> None:
    assert short_image("registry.example.com:5000/shop/web:1.3") == "web:1.3"
