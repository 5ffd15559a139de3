"""Sign-ins: the list of one's own, ending them, and who one is before dangerous acts."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client

from clusters.models import Cluster
from teams import services
from teams.models import AuditEvent, User
from teams.views.account import device
from tests.teams.signing import (
    PASSWORD,
    code_of,
    is_signed_in,
    sign_in,
    with_app,
    with_password,
)

pytestmark = pytest.mark.usefixtures("nothing_counted")

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Safari/604.1"
LATER = timedelta(minutes=20)


@pytest.fixture
def browsers(person: User) -> tuple[Client, Client]:
    """A computer and a phone of one person, signed in."""
    found = Client(headers={"user-agent": CHROME}), Client(headers={"user-agent": PHONE})
    for each in found:
        sign_in(each, "viewer")
    return found


@pytest.mark.parametrize(
    ("agent", "name"),
    [(CHROME, "Chrome · Linux"), (PHONE, "Safari · iPhone"), ("curl/8.1", "curl"), ("x", "x")],
)
def test_devices_have_names(agent: str, name: str) -> None:
    assert device(agent) == name


def test_the_list_says_where_and_when(browsers: tuple[Client, Client], other: Any) -> None:
    page = browsers[0].get("/account/").content.decode()
    for said in ("Chrome · Linux", "Safari · iPhone", "127.0.0.1", "this one, now"):
        assert said in page
    assert page.count("Sign out Safari") == 1
    assert "Sign out Chrome" not in page


def test_one_of_them_ends(browsers: tuple[Client, Client], person: User) -> None:
    computer, phone = browsers
    row = UserSession.objects.get(user_agent=PHONE)
    computer.post(f"/account/sessions/{row.pk}/end/")
    assert is_signed_in(computer)
    assert not is_signed_in(phone)
    assert AuditEvent.objects.get(action="session.end").detail == {"address": "127.0.0.1"}


def test_all_end(browsers: tuple[Client, Client]) -> None:
    assert browsers[0].post("/account/sessions/end/").headers["Location"] == "/login/"
    assert not any(map(is_signed_in, browsers))
    assert AuditEvent.objects.get(action="session.end_all").detail == {"sessions": 2}


def test_a_platform_admin_ends_those_of_another(
    browsers: tuple[Client, Client], admin: User, person: User
) -> None:
    admins = Client()
    admins.force_login(admin)
    admins.post(f"/people/{person.pk}/sessions/end/")
    assert not any(map(is_signed_in, browsers))
    assert is_signed_in(admins)


def test_who_may_no_longer_sign_in_is_out_and_stays_out(
    browsers: tuple[Client, Client], person: User
) -> None:
    person.is_active = False
    services.save_user(person, by=None)
    assert not any(map(is_signed_in, browsers))
    person.is_active = True
    services.save_user(person, by=None)
    assert not any(map(is_signed_in, browsers))


def test_the_last_use_is_noted_once_a_minute(person: User, client: Client) -> None:
    start = datetime.now(UTC)
    sign_in(client, "viewer")
    client.get("/account/")
    row = UserSession.objects.get()
    with time_machine.travel(start + timedelta(seconds=61)):
        client.get("/account/")
        noted = UserSession.objects.get().last_seen_at
        assert noted > row.last_seen_at
        client.get("/account/")
        assert UserSession.objects.get().last_seen_at == noted


def aged(client: Client, by: timedelta) -> None:
    """As if the person had signed in that long ago."""
    session: Any = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= by.total_seconds()
    session.save()


@pytest.fixture
def stale(admin: User, client: Client) -> Client:
    """A platform admin who typed the password twenty minutes ago."""
    with_password(admin)
    sign_in(client, "admin")
    aged(client, LATER)
    return client


def acts(prod: Cluster, viewer: User) -> list[str]:
    """Addresses that ask again."""
    return [
        f"/clusters/{prod.pk}/delete/",
        f"/clusters/{prod.pk}/credentials/",
        "/account/second-factor/",
        f"/people/{viewer.pk}/second-factor/reset/",
        "/admin/teams/user/add/",
        f"/admin/teams/user/{viewer.pk}/change/",
        f"/admin/teams/user/{viewer.pk}/password/",
    ]


def test_dangerous_acts_ask_again_and_do_nothing_before(
    prod: Cluster, viewer: User, stale: Client
) -> None:
    for path in acts(prod, viewer):
        for answer in (stale.get(path), stale.post(path, {"confirm_name": "prod"})):
            assert answer.headers["Location"].startswith("/confirm/?next=%2F"), path
    assert Cluster.objects.filter(pk=prod.pk).exists()
    wrong = stale.post("/confirm/", {"password": "wrong", "next": "/account/second-factor/"})
    assert wrong.status_code == 422
    assert stale.get("/account/second-factor/").status_code == 302
    for path in acts(prod, viewer):
        right = stale.post("/confirm/", {"password": PASSWORD, "next": path})
        assert right.headers["Location"] == path
        assert stale.get(path).status_code == 200, path
    assert AuditEvent.objects.filter(action="login.confirmed").count() == len(acts(prod, viewer))


def test_making_a_platform_admin_asks_first(viewer: User, stale: Client) -> None:
    stale.post(
        f"/admin/teams/user/{viewer.pk}/change/", {"username": "viewer", "is_superuser": "on"}
    )
    viewer.refresh_from_db()
    assert not viewer.is_superuser


def test_who_was_let_into_a_form_has_time_to_fill_it_in(
    prod: Cluster, admin: User, client: Client
) -> None:
    client.force_login(admin)
    aged(client, timedelta(minutes=10))
    path = f"/clusters/{prod.pk}/delete/"
    assert client.post(path, {"confirm_name": "prod"}).headers["Location"] == "/clusters/"


def test_a_dialog_asks_in_its_own_place(prod: Cluster, stale: Client) -> None:
    in_dialog = {"hx-request": "true", "hx-target": "dialog#dialog"}
    path = f"/clusters/{prod.pk}/delete/"
    asked = stale.get(path, headers=in_dialog, follow=True)
    page = asked.content.decode()
    assert 'hx-post="/confirm/"' in page
    assert "<html" not in page
    right = {"password": PASSWORD, "next": path}
    answer = stale.post("/confirm/", right, headers=in_dialog, follow=True)
    assert 'data-confirm-name="prod"' in answer.content.decode()


def test_the_api_asks_browsers_and_lets_tokens_pass(
    prod: Cluster, admin: User, stale: Client
) -> None:
    path = f"/api/v1/clusters/{prod.pk}"
    refused = stale.delete(path)
    assert (refused.status_code, refused.json()["error"][:13]) == (403, "Confirm first")
    token = services.create_token(admin, timedelta(days=1), by=None)
    answer = Client().delete(path, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_a_code_confirms_too(admin: User, stale: Client) -> None:
    secret = with_app(admin)
    alternatives = stale.get("/confirm/?next=/account/second-factor/off/").content.decode()
    assert "Use a code instead" in alternatives
    sent = {"code": code_of(secret), "next": "/account/second-factor/off/"}
    assert stale.post("/confirm/code/", sent).headers["Location"] == sent["next"]
    assert stale.get(sent["next"]).status_code == 200


def test_confirming_counts_failures_as_signing_in_does(stale: Client) -> None:
    tries = [stale.post("/confirm/", {"password": "wrong"}).status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]


def test_another_persons_confirmation_is_none(stale: Client, viewer: User) -> None:
    session: Any = stale.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(viewer.pk)
    session.save()
    assert stale.get("/account/second-factor/").status_code == 302
