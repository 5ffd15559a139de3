"""Lists that are written in portions, and what of a row comes through as it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusters import live
from clusters.models import Cluster, Object, Tally
from clusters.store import leases, rows
from clusters.store.rows import Fence, Pending
from tests.factories import row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fence(prod: Cluster) -> Fence:
    """The lease of this watcher on prod."""
    return leases.renew_and_take("me")[prod.pk].fence


def write(fence: Fence, pending: Pending) -> int:
    """Returns how many rows that changed."""
    return len(rows.flush(fence, {"Pod": pending})["Pod"])


def portion(*seen: Any) -> Pending:
    pending = Pending()
    pending.portion(seen)
    return pending


def ended(whole: list[Any], rest: list[Any]) -> Pending:
    pending = Pending()
    pending.list(whole, rest)
    return pending


def names() -> list[str]:
    return list(Object.objects.order_by("name").values_list("name", flat=True))


def many(*others: Any) -> list[Any]:
    """So many rows of a list that they are written straight, with others in the middle of them."""
    middle = rows.MANY // 2
    made = [row(f"of-many-{number:04}", 7) for number in range(rows.MANY + 1)]
    return [*made[:middle], *others, *made[middle:]]


def test_a_portion_removes_nothing_and_the_end_what_is_not_in_the_whole(fence: Fence) -> None:
    write(fence, portion(row("old"), row("a")))
    write(fence, portion(row("a"), row("b")))
    assert names() == ["a", "b", "old"]
    # b went again before the end; only c was not written yet.
    assert write(fence, ended([row("a"), row("c")], [row("c")])) == 3
    assert names() == ["a", "c"]


def test_a_portion_overrules_what_counts_from_the_future(fence: Fence) -> None:
    write(fence, portion(row("a", 900, status="Running")))
    assert write(fence, portion(row("a", 7, status="Pending"))) == 1
    assert Object.objects.get().status == "Pending"
    assert write(fence, portion(row("a", 8, status="Pending"))) == 0


def test_portions_that_still_wait_are_written_with_the_end() -> None:
    pending = portion(row("a"), row("gone"))
    pending.change([row("of the time before")], ["uid-of-b"])
    pending.list([row("a"), row("b")], [row("b")])
    assert (set(pending.rows), pending.deleted) == ({"uid-of-a", "uid-of-b"}, set())
    assert pending.whole == {"uid-of-a", "uid-of-b"}


def test_what_changes_after_the_end_belongs_to_the_whole(fence: Fence) -> None:
    write(fence, portion(row("a"), row("b")))
    pending = ended([row("a"), row("b")], [])
    pending.change([row("c")], ["uid-of-a"])
    assert write(fence, pending) == 2
    assert names() == ["b", "c"]


def test_a_list_as_a_whole_forgets_the_portions_of_one_that_broke_off() -> None:
    pending = portion(row("a"), row("b"))
    pending.list([row("b", 2)])
    assert [(one.name, one.resource_version) for one in pending.rows.values()] == [("b", 2)]


def test_a_row_of_a_portion_that_no_column_takes_is_not_kept_as_it_was(fence: Fence) -> None:
    write(fence, portion(row("a"), row("odd")))
    write(fence, portion(row("odd", 2, restarts=2**40), row("b")))
    assert names() == ["a", "b"]


def test_every_value_comes_through(fence: Fence) -> None:
    seen = row(
        "wéb\\t", 2**62, labels={"a": 'x"\\y', "ü": ""}, images=("one:1", "two\\,{}:2"),
        owner_kind="ReplicaSet", owner_name="web", status="It's", health="degraded", node="",
        created=1, since=4_102_444_800, ready=2**31 - 1, wanted=0, restarts=7, cpu=2**40, memory=3,
        facts={"ip": "10.0.0.1"},
    )  # fmt: skip
    write(fence, portion(seen, row("bare", labels={}, images=(), since=0, created=0)))
    stored = Object.objects.get(uid=seen.uid)
    for column in type(seen).__struct_fields__:
        value = getattr(seen, column)
        if column in ("created", "since"):
            value = datetime.fromtimestamp(value, UTC)
        assert getattr(stored, column) == (list(value) if column == "images" else value), column
    bare = Object.objects.get(name="bare")
    assert (bare.labels, bare.images, bare.since) == ({}, [], datetime.fromtimestamp(0, UTC))


def test_many_rows_at_once_come_as_a_few_do(fence: Fence, prod: Cluster) -> None:
    write(fence, portion(few := row("few", 7)))
    assert write(fence, portion(*many())) == rows.MANY + 1
    hidden = ("id", "name", "uid", "observed_at")
    shown = [field.attname for field in Object._meta.fields if field.name not in hidden]
    assert Object.objects.exclude(name=few.name).values(*shown).distinct().get() == (
        Object.objects.values(*shown).get(name=few.name)
    )
    ages = [timezone.now() - at for at in Object.objects.values_list("observed_at", flat=True)]
    assert timedelta(0) <= min(ages) <= max(ages) < timedelta(minutes=5)
    assert Tally.objects.get(cluster=prod).n == rows.MANY + 2
    # Nobody is told which of so many rows changed, so their ids need not be known.
    assert rows.MANY >= live.MOST_KEYS


def test_many_rows_of_which_some_are_stored_already_are_each_stored_once(fence: Fence) -> None:
    write(fence, portion(row("odd-one", 900, status="Running")))
    assert write(fence, portion(*many(row("odd-one", 8, status="Pending")))) == rows.MANY + 2
    assert Object.objects.get(name="odd-one").status == "Pending"
    assert write(fence, portion(*many(row("odd-one", 8, status="Pending")))) == 0
    assert len(names()) == rows.MANY + 2


def test_one_of_many_rows_that_no_column_takes_costs_itself(fence: Fence) -> None:
    write(fence, portion(*many(row("odd-one", restarts=2**40))))
    assert len(names()) == rows.MANY + 1
