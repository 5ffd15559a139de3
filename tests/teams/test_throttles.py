"""How often the API may be called."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from teams import services
from teams.models import AuditEvent, User
from teams.throttles import Throttle

pytestmark = pytest.mark.django_db
RATES = {"user": "100/hour", "costly": "1/hour", "stranger": "2/hour"}


@pytest.fixture
def three_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", {**RATES, "user": "3/hour"})
    monkeypatch.setattr(Throttle, "timer", lambda _self: 3600 * 500_000 + 600.0)


def statuses(client: Client, times: int) -> list[int]:
    return [client.get("/api/v1/clusters").status_code for _ in range(times)]


@pytest.mark.usefixtures("three_an_hour")
def test_who_calls_too_often_is_told_when_to_come_again(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert statuses(client, 3) == [200, 200, 200]
    refused = client.get("/api/v1/clusters")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3000"
    assert refused.json()["error"]


@pytest.mark.usefixtures("three_an_hour")
def test_one_does_not_use_up_the_calls_of_another(client: Client, admin: User, owner: User) -> None:
    client.force_login(admin)
    assert statuses(client, 4)[3] == 429
    client.force_login(owner)
    assert statuses(client, 3) == [200, 200, 200]


@pytest.mark.usefixtures("three_an_hour")
def test_calls_are_counted_anew_in_the_next_hour(
    client: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(admin)
    assert statuses(client, 4)[3] == 429
    monkeypatch.setattr(Throttle, "timer", lambda _self: 3600 * 500_001.0)
    assert statuses(client, 1) == [200]


@pytest.mark.usefixtures("one_costly_call")
def test_costly_calls_have_a_limit_of_their_own(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert statuses(client, 3) == [200, 200, 200]
    register = [client.post("/api/v1/clusters", {}).status_code for _ in range(2)]
    assert register == [400, 429]
    assert statuses(client, 1) == [200]


@pytest.mark.usefixtures("one_costly_call")
def test_costly_calls_are_counted_apart_and_of_all_tokens_of_a_person(admin: User) -> None:
    secrets = [services.create_token(admin, timedelta(days=1), by=None) for _ in range(2)]
    first, second = (Client(headers={"Authorization": f"Bearer {text}"}) for text in secrets)
    assert statuses(first, 3) == [200, 200, 200]
    assert first.post("/api/v1/clusters", {}).status_code == 400
    assert second.post("/api/v1/clusters", {}).status_code == 429
    assert statuses(second, 1) == [200]


@pytest.mark.usefixtures("one_costly_call")
@pytest.mark.parametrize("name", ["api-audit-csv", "api-audit-json"])
def test_taking_the_whole_trail_is_costly(client: Client, admin: User, name: str) -> None:
    client.force_login(admin)
    assert [client.get(reverse(name)).status_code for _ in range(2)] == [200, 429]
    assert client.get(reverse("api-audit")).status_code == 200


@pytest.mark.usefixtures("one_costly_call")
@pytest.mark.parametrize("name", ["audit-csv", "audit-json"])
def test_so_is_taking_it_by_the_page(client: Client, admin: User, owner: User, name: str) -> None:
    client.force_login(admin)
    assert client.get(reverse(name)).status_code == 200
    refused = client.get(reverse(name))
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3000"
    assert "Too many tries" in refused.content.decode()
    # One count for both ways, of each person.
    assert client.get(reverse("api-audit-csv")).status_code == 429
    assert client.get(reverse("audit")).status_code == 200
    assert AuditEvent.objects.filter(action="audit.export").count() == 1
    client.force_login(owner)
    assert client.get(reverse(name)).status_code == 200


@pytest.fixture
def one_costly_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", RATES)
    # An hour of its own: what other tests counted is not this one's.
    monkeypatch.setattr(Throttle, "timer", lambda _self: 3600 * 600_000 + 600.0)


@pytest.mark.usefixtures("one_costly_call")
def test_who_tries_tokens_is_slowed_down_and_whose_opens_is_not(admin: User) -> None:
    wrong = Client(headers={"Authorization": "Bearer " + "0" * 64})
    told = [wrong.get("/api/v1/clusters") for _ in range(3)]
    assert [answer.status_code for answer in told] == [401, 401, 429]
    assert told[2].headers["Retry-After"] == "3000"
    assert set(told[2].json()) == {"error", "fields"}
    # By where the connection comes from, not by what a caller says of himself.
    spoofed = Client(headers={"X-Forwarded-For": "203.0.113.9"})
    assert statuses(spoofed, 1) == [429]
    secret = services.create_token(admin, timedelta(days=1), by=None)
    assert statuses(Client(headers={"Authorization": f"Bearer {secret}"}), 3) == [200] * 3
