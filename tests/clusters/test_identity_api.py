"""As whom people act in a cluster, by API."""

import json

import pytest
from django.test import Client

from clusters.models import Cluster, IdentityMode
from teams.models import User

pytestmark = pytest.mark.django_db


def test_the_api_changes_and_tells_it(
    prod: Cluster, owner: User, admin: User, client: Client
) -> None:
    Cluster.objects.update(identity_mode=IdentityMode.IMPERSONATION)
    client.force_login(owner)
    url = f"/api/v1/clusters/{prod.pk}/identity"
    told = client.get(url).json()
    assert (told["mode"], told["state"], told["checkedAt"]) == ("impersonation", "unchecked", None)
    assert told["users"] == ["mcm:admin", "mcm:owner"]
    body = json.dumps({"mode": "service_account", "bindsPlatformAdmins": False})
    assert client.patch(url, body, content_type="application/json").status_code == 403
    client.force_login(admin)
    changed = client.patch(url, body, content_type="application/json").json()
    assert (changed["mode"], changed["bindsPlatformAdmins"]) == ("service_account", False)
    wrong = client.patch(url, json.dumps({"mode": "root"}), content_type="application/json")
    assert list(wrong.json()["fields"]) == ["mode"]
