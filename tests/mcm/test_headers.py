"""What every answer tells browsers: of pages, the API, errors, static files and the admin."""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from teams.models import User
from tests.teams import signing

pytestmark = pytest.mark.django_db

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PATHS = (
    "/login/", "/", "/nowhere", "/api/v1/clusters", "/api/v1/nowhere", "/static/mcm.css",
    "/healthz", "/admin/", "/favicon.ico",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_every_answer_has_them(path: str, is_signed_in: bool, client: Client, admin: User) -> None:
    if is_signed_in:
        client.force_login(admin)
    answer = client.get(path)
    answer.close()  # a file that is sent stays open until then
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "camera=()" in answer.headers["Permissions-Policy"]
    if not path.startswith("/static/"):
        policy = answer.headers["Content-Security-Policy"]
        for word in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert word in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy


def test_nothing_may_run_from_a_page_but_our_own_files(client: Client, admin: User) -> None:
    client.force_login(admin)
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def in_production(expression: str, **environment: str) -> Any:
    """What settings say in a process that is started so."""
    code = f"import json; from django.conf import settings as s; print(json.dumps({expression}))"
    known = {
        "DJANGO_SETTINGS_MODULE": "mcm.settings", "DATABASE_URL": "postgresql://a:b@127.0.0.1/x",
        "REDIS_URL": "redis://:p@127.0.0.1/0", "MCM_SECRET_KEY": settings.SECRET_KEY,
        "MCM_ENCRYPTION_KEYS": "A" * 43 + "=", "PYTHONPATH": str(settings.BASE_DIR),
    }  # fmt: skip
    program = [sys.executable, "-c", code]
    said = subprocess.run(program, env=known | environment, capture_output=True, check=True)
    return json.loads(said.stdout)


COOKIES = """[s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE,
 s.CSRF_COOKIE_SECURE, s.LANGUAGE_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS]"""


def test_with_https_cookies_are_of_this_host_alone_and_browsers_never_come_without() -> None:
    assert in_production(COOKIES, MCM_HTTPS="true") == [
        "__Host-sessionid", "__Host-csrftoken", True, True, True, True, 31_536_000,
    ]  # fmt: skip
    assert in_production(COOKIES) == ["sessionid", "csrftoken", *[False] * 4, 0]


def test_hsts_is_sent_over_https(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert "max-age=31536000" in client.get("/login/", secure=True)["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get("/login/")


def test_an_address_is_believed_of_the_one_balancer_in_front() -> None:
    proxies = "s.REST_FRAMEWORK['NUM_PROXIES']"
    assert in_production(proxies) == 0
    assert in_production(proxies, MCM_BEHIND_PROXY="true") == 1


def test_no_script_reads_the_cookies(client: Client, admin: User) -> None:
    client.get("/login/")
    assert signing.sign_in(client, signing.with_password(admin).username).status_code == 302
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), name


def test_a_fragment_asked_for_by_htmx_changes_nothing_without_the_token(
    admin: User, prod: Cluster
) -> None:
    """The token comes as a header; being asked by htmx stands for nothing."""
    strict = Client(enforce_csrf_checks=True, headers={"HX-Request": "true"})
    strict.force_login(admin)
    address = reverse("cluster-edit", args=[prod.pk])
    wanted = {"name": "prod", "environment": "dev", "region": ""}
    assert strict.post(address, wanted).status_code == 403
    page = strict.get("/", headers={"HX-Request": ""})
    token = page.context["csrf_token"]
    assert f'"X-CSRFToken": "{token}"' in page.content.decode()
    forged = strict.post(address, wanted, headers={"X-CSRFToken": "0" * 64})
    assert forged.status_code == 403
    assert strict.post(address, wanted, headers={"X-CSRFToken": str(token)}).status_code < 400
