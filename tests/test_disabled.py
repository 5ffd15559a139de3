"""What one may not do stands there, off, and says which right is missing: in both languages."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from deployments.models import Release
from operations.models import Operation
from teams.models import Membership, Team, User
from tests import factories

pytestmark = pytest.mark.usefixtures("shop_viewer")
OFF = re.compile(r'<button[^>]*aria-disabled="true"[^>]*title="([^"]+)"[^>]*>(.*?)</button>', re.S)


def off(client: Client, user: User, path: str, language: str = "en") -> dict[str, str]:
    """What is off on the page, and why; the reason is part of what a screen reader says."""
    client.force_login(user)
    client.cookies["django_language"] = language
    page = client.get(path)
    assert page.status_code == 200
    found = {}
    for title, inside in OFF.findall(page.content.decode()):
        words = " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())
        if not words:
            continue  # an icon, whose words are its label
        why = unescape(title)
        assert words.endswith(f"({why})"), words
        found[words.removesuffix(f"({why})").strip()] = why
    return found


@pytest.fixture
def team(viewer: User, operator: User) -> Team:
    """With the viewer as its manager, and another."""
    made = factories.team("crew", viewer, operator)
    Membership.objects.filter(team=made, user=viewer).update(is_manager=True)
    return made


def test_a_cluster(client: Client, viewer: User, admin: User, prod: Cluster) -> None:
    there = reverse("cluster-detail", args=[prod.pk])
    told = off(client, viewer, there)
    assert {"Edit", "Replace credentials", "Delete"} <= set(told)
    assert told["Delete"] == "You need the role admin on this cluster."
    assert off(client, admin, there) == {}


def test_who_has_which_role_there(client: Client, viewer: User, owner: User, prod: Cluster) -> None:
    there = f"{reverse('cluster-detail', args=[prod.pk])}?tab=people"
    assert {"Grant a role", "Revoke"} <= set(off(client, viewer, there))
    assert not {"Grant a role", "Revoke"} & set(off(client, owner, there))


SHARED = re.compile(r'<label[^>]*><input[^>]*value="service_account"[^>]*>([^<]*)</label>', re.S)


def test_as_whom_people_act(client: Client, owner: User, admin: User, prod: Cluster) -> None:
    there = reverse("cluster-identity-mode", args=[prod.pk])

    def offered(user: User) -> tuple[bool, str, bool]:
        client.force_login(user)
        page = client.get(there).content.decode()
        [found] = SHARED.finditer(page)
        words = " ".join(unescape(found[1]).split())
        return " disabled" in found[0], words, "confirm_name" in page

    prod.identity_mode = "impersonation"
    prod.save()
    is_off, words, asks = offered(owner)
    assert (is_off, asks) == (True, False)
    assert words.endswith("(Only platform admins let people act as MCM's own account.)")
    is_off, words, asks = offered(admin)
    assert (is_off, "Only" in words, asks) == (False, False, True)
    # Who is in that mode may stay there, whoever saves the form.
    prod.identity_mode = "service_account"
    prod.save()
    assert offered(owner)[0] is False
    client.force_login(owner)
    kept = {"identity_mode": "service_account", "binds_platform_admins": ""}
    assert client.post(there, kept).status_code == 302


def test_a_team(client: Client, viewer: User, operator: User, admin: User, team: Team) -> None:
    there = reverse("team-detail", args=[team.pk])
    assert set(off(client, operator, there)) == {
        "Add a person", "Rename", "Delete", "Make a member", "Make a manager", "Remove",
    }  # fmt: skip
    managers = off(client, viewer, there)
    assert set(managers) == {"Rename", "Delete", "Make a member", "Make a manager"}
    assert managers["Rename"] == "Only platform admins rename and delete teams."
    assert off(client, admin, there) == {}


def test_work_and_releases(
    client: Client, viewer: User, operator: User, operation: Operation, release: Release
) -> None:
    work = reverse("operation-detail", args=[operation.pk])
    kept = reverse("release-detail", args=[release.pk])
    assert off(client, viewer, work) == {"Cancel": "You need the role operator here."}
    assert off(client, viewer, kept) == {"Uninstall": "You need the role operator here."}
    assert (off(client, operator, work), off(client, operator, kept)) == ({}, {})
    assert set(off(client, viewer, reverse("releases"))) == {"Install chart"}


def test_lists(client: Client, viewer: User, admin: User) -> None:
    for name, label in (("clusters", "Register cluster"), ("teams", "New team")):
        assert label in off(client, viewer, reverse(name))
        assert off(client, admin, reverse(name)) == {}


def test_the_reason_is_in_the_readers_language(
    client: Client, viewer: User, team: Team, operation: Operation
) -> None:
    for path in (reverse("team-detail", args=[team.pk]), reverse("clusters"), reverse("fleet")):
        told = off(client, viewer, path, "zh-hans")
        assert told
        for words in (*told, *told.values()):
            assert re.search(r"[\u4e00-\u9fff]", words), words
