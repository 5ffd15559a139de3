"""Signing in by password: what is told, what is noted, and who fails too often waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from teams.models import AuditEvent, User
from tests.teams.signing import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.usefixtures("nothing_counted")

MANY = 5  # failures until a name must wait, by default


def noted(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action))


def fail(client: Client, name: str, times: int = MANY, **more: Any) -> list[int]:
    return [sign_in(client, name, "wrong", **more).status_code for _ in range(times)]


def test_the_right_password_signs_in_and_is_noted(person: User, client: Client) -> None:
    assert sign_in(client, "viewer").headers["Location"] == "/"
    assert is_signed_in(client)
    [row] = noted("login")
    assert (row.actor, row.detail) == (person, {"provider": "", "second_factor": False})
    client.post("/logout/")
    assert not is_signed_in(client)
    assert len(noted("logout")) == 1


def test_one_is_led_on_to_what_one_asked_for_within_mcm(person: User) -> None:
    for asked, led in {"/pods/?q=x": "/pods/?q=x", "https://evil.example/": "/"}.items():
        client = Client()
        assert sign_in(client, "viewer", QUERY_STRING=f"next={asked}").headers["Location"] == led


def test_a_wrong_password_is_told_and_noted_without_what_was_typed(
    person: User, client: Client
) -> None:
    for name in ("viewer", "typed-my-password-here"):
        answer = sign_in(client, name, "planted-wrong")
        assert answer.status_code == 422
        assert b"The username or the password is wrong." in answer.content
    assert not is_signed_in(client)
    assert {row.object_name for row in noted("login.failed")} == {"viewer", ""}
    kept = str(list(AuditEvent.objects.values()))
    assert "planted-wrong" not in kept
    assert "typed-my-password-here" not in kept


def test_who_may_not_sign_in_reads_what_a_wrong_password_does(person: User, client: Client) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert b"The username or the password is wrong." in sign_in(client, "viewer").content
    assert not is_signed_in(client)


def test_who_fails_too_often_waits_and_is_told_how_long(person: User, client: Client) -> None:
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False):
        assert fail(client, "viewer") == [422] * MANY
        refused = sign_in(client, "viewer")
        assert refused.status_code == 429
        assert b"Too many failed tries. Try again in 5 minutes." in refused.content
    with time_machine.travel(start + timedelta(minutes=4, seconds=10), tick=False):
        assert b"Try again in 1 minute." in sign_in(client, "viewer").content
        assert not is_signed_in(client)
    with time_machine.travel(start + timedelta(minutes=5, seconds=1), tick=False):
        assert sign_in(client, "viewer").status_code == 302
    assert [row.detail["locked"] for row in noted("login.failed")] == [True] + [False] * 4


def test_flooding_other_names_resets_nothing(person: User, client: Client) -> None:
    fail(client, "viewer")
    for n in range(3 * MANY):
        fail(client, f"other-{n}", 1, REMOTE_ADDR=f"10.0.0.{n}")
    assert sign_in(client, "viewer").status_code == 429


@pytest.mark.parametrize("other", ["Viewer", "viewer ", "\uff56iewer"])
def test_another_spelling_of_the_name_does_not_begin_anew(
    person: User, client: Client, other: str
) -> None:
    fail(client, "viewer")
    assert sign_in(client, other).status_code == 429


def test_neither_another_host_nor_another_address_begins_anew(person: User, client: Client) -> None:
    fail(client, "viewer")
    for place in ({"headers": {"host": "testserver:81"}}, {"REMOTE_ADDR": "10.9.9.9"}):
        assert sign_in(client, "viewer", **place).status_code == 429


def test_one_address_may_not_try_all_names(person: User, client: Client) -> None:
    for n in range(10):
        assert fail(client, f"other-{n}") == [422] * MANY
    assert sign_in(client, "viewer").status_code == 429
    assert sign_in(client, "viewer", REMOTE_ADDR="10.9.9.9").status_code == 302


def test_a_password_that_was_right_does_not_clear_the_failures(person: User) -> None:
    attacker, owner = Client(), Client()
    fail(attacker, "viewer", MANY - 1)
    assert sign_in(owner, "viewer").status_code == 302
    assert fail(attacker, "viewer", 2) == [422, 429]


def test_the_address_is_that_of_the_proxy_unless_one_is_there(
    person: User, client: Client, settings: Any
) -> None:
    sign_in(client, "viewer", headers={"x-forwarded-for": "6.6.6.6"})
    assert "6.6.6.6" not in client.get("/account/").content.decode()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    behind = Client(headers={"x-forwarded-for": "6.6.6.6, 7.7.7.7"})
    sign_in(behind, "viewer")
    page = behind.get("/account/").content.decode()
    assert "7.7.7.7" in page
    assert "6.6.6.6" not in page


def test_the_admin_site_has_no_other_door(admin: User, viewer: User) -> None:
    stranger = Client()
    answer = stranger.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert answer.headers["Location"].startswith("/login/?next=")
    viewers = Client()
    viewers.force_login(viewer)
    assert viewers.get("/admin/login/").status_code == 403


def test_passwords_are_long_and_not_common() -> None:
    for bad in ("elevenchars", "password1234", "123456789012", "viewer-viewer"):
        with pytest.raises(ValidationError):
            validate_password(bad, User(username="viewer-viewer"))
    validate_password(PASSWORD, User(username="viewer"))


def test_hashes_are_argon2_and_older_ones_are_replaced_when_used(
    viewer: User, client: Client
) -> None:
    assert make_password("x").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    viewer.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    viewer.save()
    assert sign_in(client, "viewer").status_code == 302
    viewer.refresh_from_db()
    assert viewer.password.startswith("argon2$")


def test_changing_the_password_asks_for_the_old_one_and_ends_other_sign_ins(person: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, "viewer")
    page, new = reverse("account_change_password"), "another-horse-battery"
    wrong = {"oldpassword": "wrong", "password1": new, "password2": new}
    assert here.post(page, wrong).status_code == 422
    short = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    assert "12" in here.post(page, short).content.decode()
    assert here.post(page, {**wrong, "oldpassword": PASSWORD}).headers["Location"] == "/account/"
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert sign_in(there, "viewer", new).status_code == 302
    assert len(noted("user.password")) == 1
