"""What the watcher writes: batches, whole lists, old news, and who may still write."""

from dataclasses import replace
from typing import Any

import pytest

from clusters.models import Cluster, KindState, Namespace, Object, Tally
from clusters.store import health, leases, rows
from clusters.store.health import Standing
from clusters.store.rows import Fence, LeaseLost, Pending
from teams import access
from teams.models import AuditEvent, Grant, User
from tests.factories import row

# A flush is a transaction of its own: its scratch table is emptied by the commit.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fence(prod: Cluster) -> Fence:
    """The lease of this watcher on prod."""
    return leases.renew_and_take("me")[prod.pk].fence


def saw(
    fence: Fence, *seen: Any, deleted: tuple[str, ...] = (), kind: str = "Pod"
) -> list[rows.Key]:
    pending = Pending()
    pending.change(seen, deleted)
    return rows.flush(fence, {kind: pending})[kind]


def listed(fence: Fence, *seen: Any, kind: str = "Pod") -> list[rows.Key]:
    pending = Pending()
    pending.list(seen)
    return rows.flush(fence, {kind: pending})[kind]


def names() -> list[str]:
    return list(Object.objects.order_by("name").values_list("name", flat=True))


def test_a_row_comes_as_it_was_seen(fence: Fence) -> None:
    written = saw(fence, row("web", 7, status="CrashLoopBackOff", health="failing", restarts=3))
    stored = Object.objects.get()
    assert written == [(stored.pk, "shop")]
    assert (stored.name, stored.resource_version) == ("web", 7)
    assert (stored.status, stored.health, stored.restarts) == ("CrashLoopBackOff", "failing", 3)
    assert (stored.labels, stored.images, stored.cluster_id) == (
        {"app": "web"}, ["web:1"], fence.cluster_id,
    )  # fmt: skip


def test_a_change_keeps_the_key(fence: Fence) -> None:
    first = saw(fence, row("web", 1))
    second = saw(fence, row("web", 2, status="Terminating"))
    assert second == first
    assert Object.objects.get().status == "Terminating"


def test_old_news_is_ignored(fence: Fence) -> None:
    saw(fence, row("web", 5, status="Running"))
    assert saw(fence, row("web", 4, status="Pending")) == []
    assert saw(fence, row("web", 5, status="Pending")) == []
    assert Object.objects.get().status == "Running"


def test_the_same_list_again_changes_nothing(fence: Fence) -> None:
    listed(fence, row("a"), row("b"))
    assert listed(fence, row("a"), row("b")) == []


def test_a_list_removes_what_is_not_on_it(fence: Fence) -> None:
    listed(fence, row("a"), row("b"), row("c"))
    written = listed(fence, row("b"), row("d"))
    assert names() == ["b", "d"]
    assert len(written) == 3


def test_an_empty_list_empties(fence: Fence) -> None:
    listed(fence, row("a"))
    assert len(listed(fence)) == 1
    assert names() == []


def test_a_list_touches_neither_another_kind_nor_another_cluster(
    fence: Fence, other: Cluster
) -> None:
    theirs = leases.renew_and_take("me")[other.pk].fence
    listed(theirs, row("a"))
    listed(fence, row("node-1", kind="Node", namespace=""), kind="Node")
    listed(fence)
    assert names() == ["a", "node-1"]


def test_a_restored_cluster_counts_from_the_past(fence: Fence) -> None:
    listed(fence, row("kept", 900, status="Running"), row("gone", 901))
    listed(fence, row("kept", 12, status="Pending"), row("new", 13))
    assert names() == ["kept", "new"]
    assert Object.objects.get(name="kept").status == "Pending"
    saw(fence, row("kept", 14, status="Running"))
    assert Object.objects.get(name="kept").status == "Running"


def test_the_deleted_go(fence: Fence) -> None:
    listed(fence, row("a"), row("b"))
    key = Object.objects.get(name="a").pk
    assert saw(fence, deleted=("uid-of-a", "uid-of-nothing")) == [(key, "shop")]
    assert names() == ["b"]


def test_what_is_seen_later_in_a_batch_wins() -> None:
    pending = Pending()
    pending.change([row("a", 1)], ["uid-of-b"])
    pending.change([row("b", 2), row("a", 3)], [])
    assert (pending.rows["uid-of-a"].resource_version, pending.deleted) == (3, set())
    pending.change([], ["uid-of-a"])
    assert (set(pending.rows), pending.deleted) == ({"uid-of-b"}, {"uid-of-a"})
    pending.list([row("c")])
    assert (set(pending.rows), pending.deleted, pending.replaces) == ({"uid-of-c"}, set(), True)


def test_namespaces_appear_and_stay(fence: Fence, prod: Cluster) -> None:
    listed(fence, row("shop", kind="Namespace", namespace=""), kind="Namespace")
    listed(fence, row("bank", kind="Namespace", namespace=""), kind="Namespace")
    # A grant on a namespace outlives its deletion in the cluster.
    assert set(Namespace.objects.values_list("cluster__name", "name")) == {
        ("prod", "shop"), ("prod", "bank"),
    }  # fmt: skip
    assert names() == ["bank"]


@pytest.mark.parametrize(
    "lost", [{"epoch": 0}, {"owner": "another"}], ids=["an older epoch", "another owner"]
)
def test_who_lost_the_lease_writes_nothing(lost: dict[str, Any], fence: Fence) -> None:
    saw(fence, row("a", 1))
    with pytest.raises(LeaseLost):
        saw(replace(fence, **lost), row("a", 2), row("b", 1))
    assert names() == ["a"]
    assert Object.objects.get().resource_version == 1


def test_after_the_cluster_is_deleted_nothing_is_written(fence: Fence, prod: Cluster) -> None:
    prod.delete()
    with pytest.raises(LeaseLost):
        saw(fence, row("a"))


def test_two_thousand_rows_go_in_one_flush(
    fence: Fence, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        written = listed(fence, *(row(f"pod-{n:04}") for n in range(2000)))
    assert len(written) == Object.objects.count() == 2000


def test_words_of_a_hostile_cluster_are_cut_to_fit(fence: Fence) -> None:
    long = "x" * 512
    saw(fence, row("a", status=long, owner_kind=long, owner_name=long, node=long))
    stored = Object.objects.get()
    assert (len(stored.status), len(stored.node)) == (100, 253)
    assert (len(stored.owner_kind), len(stored.owner_name)) == (63, 253)


def test_several_kinds_go_in_one_flush_each_with_its_own_changes(fence: Fence) -> None:
    node = row("node-1", kind="Node", namespace="", status="Ready")
    listed(fence, row("a"), row("b"))
    nodes, pods = Pending(), Pending()
    nodes.list([node])
    pods.change([row("c")], ["uid-of-a"])
    written = rows.flush(fence, {"Node": nodes, "Pod": pods})
    assert names() == ["b", "c", "node-1"]
    assert [namespace for _key, namespace in written["Node"]] == [""]
    assert [namespace for _key, namespace in written["Pod"]] == ["shop", "shop"]


def test_what_is_of_two_kinds_is_two_rows(fence: Fence) -> None:
    secret = row("sh.helm.release.v1.web.v1", kind="Secret")
    release = row("sh.helm.release.v1.web.v1", kind="HelmRelease")
    listed(fence, secret, kind="Secret")
    listed(fence, release, kind="HelmRelease")
    saw(fence, deleted=(secret.uid,), kind="Secret")
    assert list(Object.objects.values_list("kind", flat=True)) == ["HelmRelease"]


def test_a_list_rewrites_only_what_looks_different(fence: Fence) -> None:
    listed(fence, row("a", 1), row("b", 1), row("c", 1))
    written = listed(
        fence, row("a", 2), row("b", 2, status="Pending"), row("c", 1, facts={"x": "1"})
    )
    assert {key for key, _ in written} == set(
        Object.objects.filter(name__in=["b", "c"]).values_list("pk", flat=True)
    )
    saw(fence, row("a", 3, status="Pending"))
    assert Object.objects.get(name="a").status == "Pending"


def test_of_many_events_the_newest_are_kept(fence: Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rows.MOST_ROWS, "Event", 2)
    events = [row(f"event-{n}", kind="Event", created=n) for n in range(4)]
    listed(fence, *events[:2], kind="Event")
    listed(fence, *events, kind="Event")
    assert names() == ["event-2", "event-3"]


@pytest.mark.parametrize(
    "odd",
    [{"restarts": 2**40}, {"status": "a\x00b"}, {"created": 10**15}, {"facts": {"x": "\x00"}}],
)
def test_a_row_that_no_column_takes_costs_itself(odd: dict[str, Any], fence: Fence) -> None:
    listed(fence, row("a"), row("odd", **odd), row("z"))
    assert names() == ["a", "z"]
    saw(fence, row("b"), row("odd", 2, **odd))
    assert names() == ["a", "b", "z"]


def test_a_kind_that_is_followed_no_more_leaves_nothing(fence: Fence) -> None:
    listed(fence, row("a"), kind="Pod")
    listed(fence, row("cert", kind="Certificate.example.com"), kind="Certificate.example.com")
    health.record_kinds(
        fence,
        dict.fromkeys(["Pod", "Certificate.example.com"], Standing(KindState.State.WATCHING)),
    )
    rows.forget(fence, ["Certificate.example.com"])
    for model in (Object, KindState, Tally):
        found: Any = model
        assert set(found.objects.values_list("kind", flat=True)) == {"Pod"}
    with pytest.raises(LeaseLost):
        rows.forget(replace(fence, epoch=9), ["Pod"])


def test_statuses_that_nothing_has_any_more_are_not_tallied_for_ever(fence: Fence) -> None:
    listed(fence, *(row(f"pod-{n}", status=f"odd-{n}") for n in range(3)))
    listed(fence, *(row(f"pod-{n}", 2) for n in range(3)))
    assert list(Tally.objects.values_list("status", "n")) == [("Running", 3)]


class TestNamespaceMadeAgain:
    """A namespace of the same name with another uid is another namespace."""

    @pytest.fixture
    def held(self, shop: Namespace, shop_operator: User, fence: Fence) -> User:
        """Who operates shop, which the watcher has seen."""
        self.see(fence, "first")
        return shop_operator

    def see(self, fence: Fence, uid: str, version: int = 1) -> None:
        shop = row("shop", version, kind="Namespace", namespace="", uid=uid)
        listed(fence, shop, kind="Namespace")

    def test_the_grants_of_one_that_stays_stay(self, held: User, fence: Fence) -> None:
        self.see(fence, "first", 2)
        assert access.visible(held, Namespace).get().uid == "first"

    def test_the_grants_of_the_old_one_go(self, held: User, fence: Fence) -> None:
        listed(fence, kind="Namespace")
        self.see(fence, "second", 2)
        assert not access.visible(held, Namespace).exists()
        assert not Grant.objects.exists()
        assert Namespace.objects.get().uid == "second"
        assert AuditEvent.objects.filter(action="namespace.replaced").count() == 1
