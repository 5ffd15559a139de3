"""What nobody caught: the page does not ask again what has just failed."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client

from teams.models import User


@pytest.mark.parametrize("path", ["/", "/pods/", "/api/v1/clusters"])
def test_a_database_that_is_away_is_a_503(
    client: Client, viewer: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(_self: SessionStore) -> None:
        raise OperationalError("the connection is closed")

    client.force_login(viewer)
    client.raise_request_exception = False
    monkeypatch.setattr(SessionStore, "load", away)
    answer = client.get(path)
    assert answer.status_code == 503
    if path.startswith("/api/"):
        assert answer.json() == {"error": "Service Unavailable", "fields": {}}
    else:
        assert answer.headers["Retry-After"] == "5"
        assert b"database does not answer" in answer.content


def test_a_fault_of_ours_is_a_500_that_says_so(
    client: Client, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: SessionStore) -> None:
        raise RuntimeError("planted")

    client.force_login(viewer)
    client.raise_request_exception = False
    monkeypatch.setattr(SessionStore, "load", broken)
    answer = client.get("/pods/")
    assert answer.status_code == 500
    assert b"The fault is ours" in answer.content
    assert b"planted" not in answer.content
