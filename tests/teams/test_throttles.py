"""How often the API may be called."""

import pytest
from django.test import Client

from teams.models import User
from teams.throttles import Throttle

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", {"user": "3/hour"})
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
