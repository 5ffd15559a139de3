"""The second factor: by one's own will, or because one must; recovery; what is kept of it."""

import secrets
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client

from teams import accounts
from teams.models import AuditEvent, User
from tests.teams.signing import (
    code_of,
    is_signed_in,
    shown_codes,
    shown_secret,
    sign_in,
    with_app,
    with_password,
)

pytestmark = pytest.mark.usefixtures("nothing_counted")

ENROL, CODE = "/login/second-factor/", "/login/code/"


def noted(prefix: str) -> list[str]:
    rows = AuditEvent.objects.filter(action__startswith=prefix).order_by("pk")
    return list(rows.values_list("action", flat=True))


def test_set_up_then_asked_at_each_sign_in(person: User, client: Client) -> None:
    client.force_login(person)
    secret = shown_secret(client.get("/account/second-factor/"))
    wrong = client.post("/account/second-factor/", {"code": "000000"})
    assert wrong.status_code == 422
    assert shown_secret(wrong) == secret
    done = client.post("/account/second-factor/", {"code": code_of(secret)})
    assert done.headers["Location"] == "/account/recovery-codes/"
    codes = shown_codes(client.get("/account/recovery-codes/"))
    assert len(codes) == 10
    assert shown_codes(client.get("/account/recovery-codes/")) == []
    other = Client()
    assert sign_in(other, "viewer").headers["Location"] == CODE
    assert not is_signed_in(other)
    assert other.post(CODE, {"code": "000000"}).status_code == 422
    assert not is_signed_in(other)
    assert other.post(CODE, {"code": code_of(secret)}).headers["Location"] == "/"
    assert is_signed_in(other)
    assert noted("second_factor") == ["second_factor.enrol"]
    assert AuditEvent.objects.filter(action="login").get().detail["second_factor"] is True


def test_a_code_signs_in_once(person: User) -> None:
    secret = with_app(person)
    clients = Client(), Client()
    for client in clients:
        sign_in(client, "viewer")
    # Passwords take their time; a code holds for half a minute and its neighbours.
    code = code_of(secret)
    assert [client.post(CODE, {"code": code}).status_code for client in clients] == [302, 422]


def test_the_code_before_is_taken_and_an_older_one_is_not(person: User) -> None:
    secret = with_app(person)
    client = Client()
    sign_in(client, "viewer")
    assert client.post(CODE, {"code": code_of(secret, -90)}).status_code == 422
    assert client.post(CODE, {"code": code_of(secret, -25)}).status_code == 302


def test_a_recovery_code_signs_in_once(person: User) -> None:
    with_app(person)
    code = accounts.recovery_codes(person)[0]
    answers = []
    for client in (Client(), Client()):
        sign_in(client, "viewer")
        answers.append(client.post(CODE, {"code": code}).status_code)
    assert answers == [302, 422]
    assert code not in accounts.recovery_codes(person)


def test_codes_cannot_be_guessed_for_long(person: User) -> None:
    secret = with_app(person)
    client = Client()
    sign_in(client, "viewer")
    tries = [client.post(CODE, {"code": f"00000{n}"}).status_code for n in range(6)]
    assert tries == [422] * 5 + [429]
    # Nor by beginning anew, from another address.
    again = Client(REMOTE_ADDR="10.9.9.9")
    sign_in(again, "viewer")
    refused = again.post(CODE, {"code": code_of(secret)})
    assert refused.status_code == 429
    assert b"Try again in 5 minutes." in refused.content
    assert not is_signed_in(again)


@pytest.mark.parametrize("path", [CODE, ENROL])
def test_no_step_can_be_taken_alone(person: User, path: str, client: Client) -> None:
    with_app(person)
    for method in (client.get, client.post):
        assert method(path).headers["Location"] == "/login/"
    sign_in(client, "viewer")
    assert client.post(ENROL, {"code": "1"}).headers["Location"] == "/login/"
    assert not is_signed_in(client)


def test_who_must_is_led_to_it_and_not_signed_in_before(
    person: User, client: Client, settings: Any
) -> None:
    settings.SECOND_FACTOR = "all"
    assert sign_in(client, "viewer", QUERY_STRING="next=/pods/").headers["Location"] == ENROL
    assert not is_signed_in(client)
    secret = shown_secret(client.get(ENROL))
    assert client.post(ENROL, {"code": "000000"}).status_code == 422
    codes = shown_codes(client.post(ENROL, {"code": code_of(secret)}))
    assert len(codes) == 10
    assert not is_signed_in(client)
    assert client.post(ENROL).headers["Location"] == "/pods/"
    assert is_signed_in(client)
    assert not Authenticator.objects.exclude(user=person).exists()
    other = Client()
    assert sign_in(other, "viewer").headers["Location"] == CODE
    other.post(CODE, {"code": codes[0]})
    assert is_signed_in(other)
    # And may not take it off.
    assert other.get("/account/second-factor/off/").status_code == 403
    assert other.post("/account/second-factor/off/").status_code == 403


def test_it_can_be_asked_of_admins_alone(
    person: User, admin: User, client: Client, settings: Any
) -> None:
    settings.SECOND_FACTOR = "admins"
    with_password(admin)
    assert sign_in(client, "viewer").headers["Location"] == "/"
    assert sign_in(Client(), "admin").headers["Location"] == ENROL


def test_who_becomes_one_who_must_is_asked_at_the_next_request(
    person: User, client: Client, settings: Any
) -> None:
    settings.SECOND_FACTOR = "admins"
    sign_in(client, "viewer")
    assert is_signed_in(client)
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    assert not is_signed_in(client)


def test_off_again_by_the_person(person: User, client: Client) -> None:
    with_app(person)
    client.force_login(person)
    assert client.get("/account/second-factor/off/").status_code == 200
    assert Authenticator.objects.count() == 2
    assert client.post("/account/second-factor/off/").headers["Location"] == "/account/"
    assert not Authenticator.objects.exists()
    assert noted("second_factor")[-1] == "second_factor.remove"
    assert sign_in(Client(), "viewer").headers["Location"] == "/"


def test_new_recovery_codes_replace_the_old(person: User, client: Client) -> None:
    with_app(person)
    old = accounts.recovery_codes(person)
    client.force_login(person)
    client.post("/account/recovery-codes/new/")
    new = shown_codes(client.get("/account/recovery-codes/"))
    assert len(new) == 10
    assert not set(new) & set(old)


def test_a_platform_admin_resets_it_for_who_lost_it(person: User, admin: User) -> None:
    secret = with_app(person)
    theirs, admins = Client(), Client()
    sign_in(theirs, "viewer")
    theirs.post(CODE, {"code": code_of(secret)})
    assert is_signed_in(theirs)
    admins.force_login(admin)
    admins.post(f"/people/{person.pk}/second-factor/reset/")
    assert not is_signed_in(theirs)
    assert not Authenticator.objects.exists()
    row = AuditEvent.objects.get(action="second_factor.reset")
    assert (row.actor, row.object_name, row.detail) == (admin, "viewer", {"sessions": 1})
    assert sign_in(theirs, "viewer").headers["Location"] == "/"


def test_secrets_are_sealed_where_they_are_kept(person: User, settings: Any) -> None:
    old, new = settings.ENCRYPTION_KEYS, secrets.token_bytes(32)
    secret = with_app(person)
    codes = accounts.recovery_codes(person)
    assert secret not in str(list(Authenticator.objects.values()))
    settings.ENCRYPTION_KEYS = [new, *old]
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = [new]
    client = Client()
    sign_in(client, "viewer")
    assert client.post(CODE, {"code": code_of(secret)}).headers["Location"] == "/"
    assert accounts.recovery_codes(person) == codes
    assert secret not in str(list(AuditEvent.objects.values()))
