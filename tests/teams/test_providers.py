"""Signing in by an identity provider: a real one, dex, on this machine."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from mcm import oidc
from mcm.embedded import ports
from teams import services
from teams.models import AuditEvent, GroupMapping, Membership, Team, User
from testbed import dex
from tests import factories
from tests.teams.signing import is_signed_in, sign_in, with_password

pytestmark = pytest.mark.usefixtures("nothing_counted")

LOGIN, BACK = "/login/with/company/", "/login/with/company/done/"
HOST = "http://testserver"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dex.Dex]:
    running = dex.Dex(tmp_path_factory.mktemp("dex"), ports.choose(), [HOST + BACK], print)
    running.start({"ada": ["builders", "readers"], "bob": []})
    yield running
    running.stop()


@pytest.fixture
def known(company: dex.Dex, settings: Any, db: None) -> Any:
    """MCM knows the provider, which may make users: `known(second_factor=True)` changes that."""

    def configure(**more: Any) -> None:
        text = json.dumps([dex.provider(company.port, **{"create_users": True, **more})])
        apps = oidc.providers("P", {"P": text})
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}

    configure()
    return configure


def at_provider(url: str, name: str, password: str = dex.PASSWORD) -> str:
    """Signs in on the provider's page; the address in MCM to which it sends the browser back."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=10)
        form = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert form, page.text
        where = urljoin(page.url, unescape(form[1]))
        typed = {"login": f"{name}@example.com", "password": password}
        answer = browser.post(where, data=typed, timeout=10, allow_redirects=False)
        while "Location" in answer.headers:
            led = urljoin(answer.url, answer.headers["Location"])
            if led.startswith(HOST):
                return led.removeprefix(HOST)
            answer = browser.get(led, timeout=10, allow_redirects=False)
        raise AssertionError(answer.text)


def enter(client: Client, name: str, path: str = LOGIN) -> Any:
    """The whole way; MCM's answer to the return."""
    return client.get(at_provider(client.get(path).headers["Location"], name))


def teams_of(name: str) -> set[str]:
    return {row.team.name for row in Membership.objects.filter(user__username=name)}


@pytest.fixture
def mapped(db: None) -> None:
    """The provider's groups builders and readers are teams."""
    for name in ("builders", "readers"):
        team = factories.team(name)
        GroupMapping.objects.create(provider="company", group=name, team=team)


@pytest.mark.usefixtures("mapped")
def test_first_sign_in_makes_the_user_in_the_teams_of_the_groups(
    known: Any, client: Client
) -> None:
    assert (
        'href="/login/with/company/?next=%2Fpods%2F"'
        in client.get("/login/?next=/pods/").content.decode()
    )
    assert enter(client, "ada", LOGIN + "?next=/pods/").headers["Location"] == "/pods/"
    assert is_signed_in(client)
    ada = User.objects.get()
    assert (ada.username, ada.email, ada.get_full_name()) == (
        "ada",
        "ada@example.com",
        "Ada Example",
    )
    assert not ada.has_usable_password()
    assert (ada.is_staff, ada.is_superuser) == (False, False)
    assert teams_of("ada") == {"builders", "readers"}
    assert all(ada.groups.filter(pk=team.group_id).exists() for team in Team.objects.all())
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert actions >= {"user.create", "login", "membership.save"}
    assert AuditEvent.objects.get(action="login").detail["provider"] == "company"


@pytest.mark.usefixtures("mapped")
def test_each_sign_in_follows_the_groups_and_keeps_what_hands_made(
    known: Any, company: dex.Dex, client: Client
) -> None:
    enter(client, "ada")
    ada = User.objects.get()
    by_hand = factories.team("by-hand", ada)
    services.delete_membership(Membership.objects.get(team__name="readers"), by=None)
    services.save_membership(Membership(user=ada, team=Team.objects.get(name="readers")), by=None)
    company.start({"ada": [], "bob": []})
    try:
        assert enter(Client(), "ada").status_code == 302
    finally:
        company.start({"ada": ["builders", "readers"], "bob": []})
    # builders came with the group and goes with it; readers was made by hand meanwhile.
    assert teams_of("ada") == {by_hand.name, "readers"}
    assert not ada.groups.filter(name="team:builders").exists()
    enter(Client(), "ada")
    assert teams_of("ada") == {by_hand.name, "readers", "builders"}


def test_nobody_is_made_where_the_setting_does_not_allow_it(known: Any, client: Client) -> None:
    known(create_users=False)
    answer = enter(client, "bob")
    assert "you have no account in MCM" in answer.content.decode()
    assert not User.objects.exists()
    assert not is_signed_in(client)


def test_a_name_that_is_taken_is_not_taken_over(known: Any, viewer: User, client: Client) -> None:
    User.objects.filter(pk=viewer.pk).update(username="bob", email="bob@example.com")
    enter(client, "bob")
    made = SocialAccount.objects.get().user
    assert made.pk != viewer.pk
    assert made.username != "bob"
    assert teams_of(made.username) == set()


def test_a_disabled_person_stays_out(known: Any, client: Client) -> None:
    enter(client, "bob")
    User.objects.update(is_active=False)
    other = Client()
    assert enter(other, "bob").headers["Location"] == "/login/"
    assert "may not sign in" in other.get("/login/").content.decode()
    assert not is_signed_in(other)


def test_a_second_factor_is_asked_unless_the_provider_asks(known: Any, settings: Any) -> None:
    settings.SECOND_FACTOR = "all"
    client = Client()
    assert enter(client, "bob").headers["Location"] == "/login/second-factor/"
    assert not is_signed_in(client)
    known(second_factor=True)
    trusting = Client()
    assert enter(trusting, "bob").headers["Location"] == "/"
    assert is_signed_in(trusting)


def test_a_forged_or_old_return_signs_nobody_in(known: Any, client: Client) -> None:
    back = at_provider(client.get(LOGIN).headers["Location"], "bob")
    assert Client().get(back).headers["Location"] == "/login/"
    forged = client.get(BACK + "?state=x&code=y")
    assert forged.headers["Location"] == "/login/"
    assert "Company did not sign you in" in client.get("/login/").content.decode()
    assert not User.objects.exists()
    assert client.get(back).headers["Location"] == "/"
    assert is_signed_in(client)
    assert Client().get(back).headers["Location"] == "/login/"


def test_pkce_is_used_and_the_secret_stays(
    known: Any, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    led = client.get(LOGIN).headers["Location"]
    assert "code_challenge_method=S256" in led
    assert dex.SECRET not in led
    back = at_provider(led, "bob")
    client.get(back)
    assert back.partition("?")[0] in caplog.text
    assert parse_qs(urlsplit(back).query)["code"][0] not in caplog.text
    kept = str([list(model.objects.values()) for model in (AuditEvent, SocialAccount)])
    assert dex.SECRET not in kept + str(dict(client.session))
    assert "access_token" not in str(dict(client.session))


def test_a_provider_that_is_away_is_told(known: Any, client: Client, closed_port: int) -> None:
    known(issuer=f"http://127.0.0.1:{closed_port}/dex")
    assert client.get(LOGIN).headers["Location"] == "/login/"
    assert "Company does not answer" in client.get("/login/").content.decode()
    assert client.get("/login/with/unknown/").status_code == 404


def test_it_confirms_who_it_is_before_dangerous_acts(known: Any, client: Client) -> None:
    enter(client, "bob")
    session: Any = client.session
    session["account_authentication_methods"][0]["at"] -= 1200
    session.save()
    asked = client.get("/account/second-factor/").headers["Location"]
    assert asked == LOGIN + "?next=%2Faccount%2Fsecond-factor%2F"
    led = client.get(asked).headers["Location"]
    assert "prompt=login" in led
    other = client.get(at_provider(led, "ada"))
    assert other.headers["Location"] == "/account/"
    assert client.get("/account/second-factor/").status_code == 302
    assert enter(client, "bob", asked).headers["Location"] == "/account/second-factor/"
    assert client.get("/account/second-factor/").status_code == 200
    assert AuditEvent.objects.get(action="login.confirmed").detail == {"how": "company"}


def test_an_account_is_connected_by_its_owner_only(
    known: Any, viewer: User, client: Client
) -> None:
    known(create_users=False)
    with_password(viewer)
    sign_in(client, "viewer")
    assert "process=connect" not in client.get(LOGIN + "?process=connect").headers["Location"]
    led = client.post(LOGIN, headers={"hx-request": "true"}).headers["HX-Redirect"]
    assert client.get(at_provider(led, "ada")).headers["Location"] == "/account/"
    assert AuditEvent.objects.get(action="provider.connect").actor == viewer
    fresh = Client()
    enter(fresh, "ada")
    assert int(fresh.session["_auth_user_id"]) == viewer.pk
    client.post("/account/providers/company/off/")
    assert not SocialAccount.objects.exists()


def test_the_only_way_in_is_not_cut(known: Any, client: Client) -> None:
    enter(client, "bob")
    answer = client.post("/account/providers/company/off/")
    assert answer.status_code == 422
    assert "no way left to sign in" in answer.content.decode()
    assert SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "must be a list in JSON"),
        ("{}", "Expected `array`"),
        ('[{"id": "a", "issuer": "https://i"}]', "client_id"),
        ('[{"id": "A b", "issuer": "https://i", "client_id": "c"}]', "id"),
        ('[{"id": "a", "issuer": "https://i", "client_id": "c", "typo": 1}]', "typo"),
        ('[{"id": "a", "issuer": "http://example.com", "client_id": "c"}]', "https URL"),
        ('[{"id": "a", "issuer": "https://i", "client_id": "c", "client_secret": 5}]', "secret"),
    ],
)
def test_wrong_settings_stop_the_start(text: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape("MCM_OIDC_PROVIDERS")) as refusal:
        oidc.providers("MCM_OIDC_PROVIDERS", {"MCM_OIDC_PROVIDERS": text})
    assert said in str(refusal.value)


def test_one_id_names_one_provider() -> None:
    one = '{"id": "a", "issuer": "https://i", "client_id": "c", "client_secret": "planted"}'
    with pytest.raises(ImproperlyConfigured, match="twice") as refusal:
        oidc.providers("P", {"P": f"[{one}, {one}]"})
    assert "planted" not in str(refusal.value)
    assert [app["name"] for app in oidc.providers("P", {"P": f"[{one}]"})] == ["a"]
    assert oidc.providers("P", {}) == []
