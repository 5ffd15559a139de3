"""Tokens in the browser: made, shown once, listed, revoked; those of robots on the team's page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from teams.models import Team, Token, User
from teams.services import tokens
from tests import factories

HTMX = {"HX-Request": "true"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def secret(answer: Any) -> str:
    [text] = re.findall(r"mcm_[0-9a-f]{64}", answer.content.decode())
    return str(text)


def test_a_token_is_shown_once(viewer: User, prod: Cluster) -> None:
    client = signed_in(viewer)
    form = {"name": "ci", "scope": "read", "clusters": [str(prod.pk)], "days": "30"}
    made = client.post(reverse("token-create"), form, headers=HTMX)
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    assert made.headers["HX-Trigger"] == "tokens-changed"
    bearer = {"authorization": f"Bearer {secret(made)}"}
    assert Client().get("/api/v1/clusters", headers=bearer).json()["total"] == 1
    page = client.get(reverse("tokens")).content.decode()
    assert "mcm_" not in page
    assert re.search(r"ci</td>.*Read.*prod", page, re.DOTALL)
    token = Token.objects.get()
    assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 302
    assert Client().get("/api/v1/clusters", headers=bearer).status_code == 401
    assert "You have no token" in client.get(reverse("tokens")).content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("scope", "x"), ("clusters", "x"), ("days", "366")]
)
def test_what_is_wrong_is_told_at_its_field(
    field: str, value: str, viewer: User, prod: Cluster
) -> None:
    form = {"name": "ci", "scope": "read", "days": "1", field: value}
    answer = signed_in(viewer).post(reverse("token-create"), form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert not Token.objects.exists()


def test_a_cluster_that_one_does_not_see_cannot_be_chosen(viewer: User, other: Cluster) -> None:
    form = {"name": "ci", "scope": "read", "days": "1", "clusters": [str(other.pk)]}
    assert signed_in(viewer).post(reverse("token-create"), form).status_code == 422
    page = signed_in(viewer).get(reverse("token-create")).content.decode()
    assert str(other.pk) not in page
    assert f"{other.name}<" not in page


def test_who_manages_a_team_makes_its_robots(prod: Cluster) -> None:
    ann, bob = (factories.UserFactory.create(username=name) for name in ("ann", "bob"))
    team = factories.team("crew", ann, bob)
    team.membership_set.filter(user=ann).update(is_manager=True)
    form = {"name": "deploy", "scope": "operate", "days": "30"}
    made = signed_in(ann).post(reverse("team-token-create", args=[team.pk]), form)
    assert made.status_code == 200
    assert secret(made)
    again = signed_in(ann).post(reverse("team-token-create", args=[team.pk]), form)
    assert set(again.context["form"].errors) == {"name"}
    part = signed_in(ann).get(reverse("team-tokens", args=[team.pk]), headers=HTMX)
    assert b"deploy" in part.content
    address = reverse("team-tokens", args=[team.pk]).encode()
    assert address in signed_in(ann).get(reverse("team-detail", args=[team.pk])).content
    assert address not in signed_in(bob).get(reverse("team-detail", args=[team.pk])).content
    rows = signed_in(ann).get(reverse("teams")).context["rows"]
    assert [(row[0].name, row[1]) for row in rows] == [("crew", 2)]


def test_a_token_that_is_over_says_so(viewer: User) -> None:
    tokens.make(viewer, tokens.Wanted(timedelta(seconds=-1), "old"), by=None)
    assert "is over since" in signed_in(viewer).get(reverse("tokens")).content.decode()


def test_a_team_s_robots_go_with_it(admin: User) -> None:
    team = factories.team("crew")
    tokens.make_robot(team, tokens.Wanted(timedelta(days=1), "ci"), by=admin)
    address = reverse("team-delete", args=[team.pk])
    assert signed_in(admin).post(address, {"confirm_name": "crew"}).status_code == 302
    assert not Team.objects.exists()
    assert not User.objects.exclude(robot_of=None).exists()
