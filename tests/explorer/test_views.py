"""Saved views and chosen columns: whose they are, who changes them, and where they lead."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clusters.models import Object
from explorer import services
from explorer.models import ColumnChoice, SavedView
from teams.models import AuditEvent, Team, User
from tests import factories

URL = "/api/v1/views"


@pytest.fixture
def team(viewer: User, operator: User) -> Team:
    """The viewer manages it, the operator is in it."""
    found = factories.team("watchers", viewer, operator)
    found.membership_set.filter(user=viewer).update(is_manager=True)
    return found


def call(client: Client, method: str, url: str, **body: Any) -> Any:
    return getattr(client, method)(url, json.dumps(body), content_type="application/json")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def listed(client: Client, **query: str) -> list[tuple[str, bool]]:
    rows = client.get(URL, query).json()["views"]
    return [(row["name"], row["mayChange"]) for row in rows]


def test_a_view_is_made_found_changed_and_deleted(viewer: User) -> None:
    mine = signed_in(viewer)
    made = call(
        mine, "post", URL, kind="po", name="Broken", query="?q=status:failing&after=x&sort=name"
    )
    assert made.status_code == 201
    view = made.json()
    assert view == {
        "id": view["id"], "kind": "Pod", "name": "Broken", "query": "q=status%3Afailing",
        "team": None, "url": "/pods/?q=status%3Afailing", "mayChange": True,
    }  # fmt: skip
    changed = call(mine, "patch", f"{URL}/{view['id']}", name="All broken", query="health=failing")
    assert (changed.json()["name"], changed.json()["query"]) == ("All broken", "health=failing")
    assert mine.get(f"{URL}/{view['id']}").json() == changed.json()
    assert mine.delete(f"{URL}/{view['id']}").status_code == 200
    assert listed(mine) == []
    told = AuditEvent.objects.filter(action__startswith="view.").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [
        "view.create", "view.change", "view.delete",
    ]  # fmt: skip
    assert told[1].before["name"] == "Broken"  # type: ignore[index]


def test_a_team_has_views_that_its_managers_change(
    team: Team, viewer: User, operator: User, owner: User, admin: User
) -> None:
    manager, member = signed_in(viewer), signed_in(operator)
    body = {"kind": "Deployment", "name": "Ours", "query": "sort=-age", "team": "watchers"}
    assert call(member, "post", URL, **body).status_code == 403
    assert call(signed_in(owner), "post", URL, **body).json()["fields"].keys() == {"team"}
    made = call(manager, "post", URL, **body)
    assert made.status_code == 201
    assert (listed(manager), listed(member)) == ([("Ours", True)], [("Ours", False)])
    assert listed(signed_in(owner)) == []
    assert listed(signed_in(admin)) == []  # sees it, but it is none of his own
    url = f"{URL}/{made.json()['id']}"
    assert call(member, "patch", url, name="Mine").status_code == 403
    assert call(manager, "patch", url, team=None).status_code == 400
    for page in (f"/views/{made.json()['id']}/edit/", f"/views/{made.json()['id']}/delete/"):
        people = (manager, member, signed_in(owner))
        assert [person.get(page).status_code for person in people] == [200, 403, 404]
        assert member.post(page).status_code == 403
    assert listed(member, kind="deploy") == [("Ours", False)]
    assert listed(member, kind="Pod") == []
    assert b"Ours" in member.get("/objects/deployments/").content
    assert b"Ours" not in signed_in(owner).get("/objects/deployments/").content
    team.membership_set.filter(user=operator).delete()
    assert listed(member) == []
    assert member.get(url).status_code == 404


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "a", "kind": "Thing"}, "kind"),
        ({"name": "", "kind": "Pod"}, "name"),
        ({"name": "x" * 101, "kind": "Pod"}, "name"),
        ({"name": "a", "kind": "Pod", "query": "q=colour:red"}, "query"),
        ({"name": "a", "kind": "Pod", "query": "sort=beauty"}, "query"),
        ({"name": "a", "kind": "Pod", "query": "q=" + "x" * 3000}, "query"),
        ({"name": "a", "kind": "Pod", "team": "nobody"}, "team"),
    ],
)
def test_what_makes_no_view_is_refused_by_field(
    body: dict[str, str], wrong: str, viewer: User
) -> None:
    answer = call(signed_in(viewer), "post", URL, **body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [wrong])
    assert not SavedView.objects.exists()


def test_a_name_is_taken_once_by_each(
    viewer: User, operator: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = signed_in(viewer)
    assert call(mine, "post", URL, kind="Pod", name="a").status_code == 201
    assert call(mine, "post", URL, kind="Pod", name="a").status_code == 400
    assert call(mine, "post", URL, kind="Job", name="a").status_code == 201
    assert call(mine, "post", URL, kind="Pod", name="a", team="watchers").status_code == 201
    assert call(mine, "post", URL, kind="Pod", name="a", team="watchers").status_code == 400
    assert call(signed_in(operator), "post", URL, kind="Pod", name="a").status_code == 201
    monkeypatch.setattr(services, "MOST_VIEWS", 2)
    assert call(mine, "post", URL, kind="Pod", name="b").status_code == 400
    for owners in ({}, {"owner": viewer, "team": team}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(kind="Pod", name="c", **owners)


def test_the_page_saves_what_it_shows(viewer: User, team: Team, pod: Object) -> None:
    mine = signed_in(viewer)
    query = "health=failing&after=abc"
    form = mine.get("/views/new/", {"kind": "pods", "query": query}).context["form"]
    assert form.initial == {"kind": "Pod", "query": "health=failing"}
    assert [str(label) for _key, label in form.fields["team"].choices] == ["Only me", "watchers"]
    answer = mine.post("/views/new/", {**form.initial, "name": "Red"})
    assert answer.headers["Location"] == "/pods/?health=failing"
    page = mine.get("/pods/").content.decode()
    assert 'href="/pods/?health=failing"' in page
    view = SavedView.objects.get()
    mine.post(f"/views/{view.pk}/edit/", {"name": "Dark red", "kind": "Pod", "query": view.query})
    assert SavedView.objects.get().name == "Dark red"
    form = mine.get(f"/views/{view.pk}/edit/", {"query": "sort=age&after=x"}).context["form"]
    assert form["query"].value() == "sort=age"
    assert mine.get(f"/views/{view.pk}/edit/").context["form"]["query"].value() == view.query
    assert b"Dark red" in mine.get(f"/views/{view.pk}/delete/").content
    mine.post(f"/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()


def heads(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/objects/deployments/{query}")
    return [column.key for column in page.context["columns"]]


def test_chosen_columns_are_remembered_of_each_person_and_kind(
    viewer: User, operator: User, pod: Object
) -> None:
    mine, other = signed_in(viewer), signed_in(operator)
    usual, url = heads(mine), "/objects/deployments/columns/"
    answer = mine.post(
        url, {"columns": ["labels", "age", "nonsense"], "query": "sort=-age&columns=x"}
    )
    assert answer.headers["Location"] == "/objects/deployments/?sort=-age"
    assert heads(mine) == ["name", "labels", "age"]
    assert heads(mine, "?columns=cluster") == ["name", "cluster"]
    assert heads(other) == usual
    assert [column.key for column in mine.get("/pods/").context["columns"]] != heads(mine)
    assert "columns=name%2Clabels%2Cage" in mine.get("/objects/deployments/").context["rows_url"]
    # A view that is saved now shows to others what one sees oneself.
    form = mine.get("/views/new/", {"kind": "deploy", "query": ""}).context["form"]
    assert form.initial["query"] == "columns=name%2Clabels%2Cage"
    mine.post(url, {"columns": ["labels"], "usual": "1"})
    assert heads(mine) == usual
    assert not ColumnChoice.objects.exists()
    assert mine.post("/objects/nothing/columns/").status_code == 404
