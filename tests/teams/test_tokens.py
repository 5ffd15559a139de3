"""API tokens: made by command, stored hashed, ending."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from teams import services
from teams.models import AuditEvent, Token, User

DAY = timedelta(days=1)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def status(client: Client, token: str) -> int:
    return client.get("/api/v1/clusters", headers=bearer(token)).status_code


def test_a_token_signs_in(viewer: User, client: Client) -> None:
    out = io.StringIO()
    call_command("create_token", "viewer", "--days", "2", stdout=out)
    token = out.getvalue().splitlines()[-1]
    answer = client.get("/api/v1/clusters", headers=bearer(token))
    assert [cluster["name"] for cluster in answer.json()["clusters"]] == ["prod"]
    [row] = Token.objects.all()
    assert row.expiry is not None
    assert row.expiry - datetime.now(UTC) > DAY


def test_a_token_is_stored_hashed_only(viewer: User) -> None:
    token = services.create_token(viewer, DAY, by=None)
    row = Token.objects.get()
    assert row.digest != token
    assert token not in repr(vars(row))
    assert token not in str(AuditEvent.objects.values_list("detail", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM teams_token t")
        assert token not in str(cursor.fetchall())


def test_an_expired_token_is_refused(viewer: User, client: Client) -> None:
    token = services.create_token(viewer, DAY, by=None)
    assert status(client, token) == 200
    with time_machine.travel(datetime.now(UTC) + DAY + timedelta(seconds=1)):
        assert status(client, token) == 401


def test_a_call_looks_at_the_token_that_was_sent(viewer: User, client: Client) -> None:
    with time_machine.travel(datetime.now(UTC) - 2 * DAY):
        old = services.create_token(viewer, DAY, by=None)
    token = services.create_token(viewer, DAY, by=None)
    with CaptureQueriesContext(connection) as asked:
        assert status(client, token) == 200
    looked = [each["sql"] for each in asked.captured_queries if "teams_token" in each["sql"]]
    assert [sql.split()[0] for sql in looked] == ["SELECT", "UPDATE"]
    assert status(client, old) == 401


def test_the_token_of_a_disabled_person_is_refused(viewer: User, client: Client) -> None:
    token = services.create_token(viewer, DAY, by=None)
    viewer.is_active = False
    viewer.save()
    answer = client.get("/api/v1/clusters", headers=bearer(token))
    assert (answer.status_code, set(answer.json())) == (401, {"error", "fields"})


@pytest.mark.parametrize("token", ["", "x", "x" * 64, "x y"])
def test_a_made_up_token_is_refused(token: str, db: None, client: Client) -> None:
    assert status(client, token) == 401


def test_a_token_follows_the_rights_of_its_person(prod: Any, viewer: User, client: Client) -> None:
    token = services.create_token(viewer, DAY, by=None)
    assert client.delete(f"/api/v1/clusters/{prod.pk}", headers=bearer(token)).status_code == 403
    viewer.teams.get().grants.get()
    services.revoke(viewer.teams.get().grants.get(), by=None)
    assert client.get(f"/api/v1/clusters/{prod.pk}", headers=bearer(token)).status_code == 404


@pytest.mark.parametrize("words", [("nobody",), ("viewer", "--days", "0")], ids=["who", "days"])
def test_the_command_says_what_is_wrong(words: tuple[str, ...], viewer: User) -> None:
    with pytest.raises(CommandError, match=r"nobody|--days"):
        call_command("create_token", *words)
    assert not Token.objects.exists()
