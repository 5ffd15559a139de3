"""An order that no index has is offered for so many rows as can be sorted at once, and no more."""

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client

from clusters.models import Cluster
from explorer.filters import sortable
from explorer.filters.ordering import SORTS
from teams.models import User
from tests import factories

NAMES = [f"pod-{n}" for n in range(4)]


@pytest.fixture
def mcm(client: Client, admin: User, prod: Cluster, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Four pods, the later the smaller, where three are sorted."""
    monkeypatch.setattr(sortable, "MOST_SORTED", 3)
    for n, name in enumerate(NAMES):
        factories.PodFactory.create(cluster=prod, name=name, cpu=100 - n, owner_name=f"o-{n // 2}")
    client.force_login(admin)
    return client


@pytest.fixture
def shown(mcm: Client) -> Callable[[str], list[str]]:
    """The names that the list at an address shows."""
    return lambda query: [
        seen.object.name for seen in mcm.get(f"/pods/?{query}", follow=True).context["objects"]
    ]


def test_too_many_rows_stay_by_name_and_the_page_says_so(
    mcm: Client, shown: Callable[[str], list[str]]
) -> None:
    page = mcm.get("/pods/?sort=cpu")
    assert page.context["filter"].sort == "name"
    assert "More than 3 rows match, too many for this order." in page.content.decode()
    # The order comes as soon as the list is narrow enough.
    assert '<input type="hidden" name="sort" value="cpu">' in page.content.decode()
    assert shown("sort=cpu") == NAMES
    assert shown("sort=cpu&q=owner:o-1") == ["pod-3", "pod-2"]
    assert "too many" not in mcm.get("/pods/?sort=cpu&q=owner:o-1").content.decode()


def test_what_the_tallies_count_is_not_counted_again(shown: Callable[[str], list[str]]) -> None:
    assert shown("sort=cpu&namespace=nowhere") == []
    assert shown("sort=cpu&status=Running") == NAMES


@pytest.mark.parametrize("sort", [sort for sort, order in SORTS.items() if order.indexed])
def test_an_order_with_an_index_is_there_for_any_number(
    shown: Callable[[str], list[str]], mcm: Client, sort: str
) -> None:
    assert sorted(shown(f"sort={sort}")) == NAMES
    assert mcm.get(f"/pods/?sort={sort}", follow=True).context["filter"].sort == sort


def test_the_api_refuses_it(mcm: Client) -> None:
    for query in ("sort=cpu", "sort=-facts.ip", "sort=cpu&counts=false"):
        answer = mcm.get(f"/api/v1/objects?kind=Pod&{query}")
        assert answer.status_code == 400
        assert answer.json()["fields"]["sort"][0].startswith("More than 3 rows match")
    assert mcm.get("/api/v1/objects?sort=cpu&owner=o-1").status_code == 200
    assert mcm.get("/api/v1/objects/export.csv?sort=cpu").status_code == 400


def test_files_and_selections_come_by_name_then(mcm: Client) -> None:
    rows = mcm.get("/objects/pods/keys/?sort=-cpu").json()["rows"]
    assert [row["name"] for row in rows] == NAMES
    text = b"".join(mcm.get("/objects/pods/csv/?sort=cpu").streaming_content).decode()
    assert [row[0] for row in csv.reader(io.StringIO(text))][1:] == NAMES
