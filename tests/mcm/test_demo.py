"""The demo opens the ports of its own API servers, and nothing else; its people."""

from pathlib import Path
from typing import Any

import pytest

from clusters.kube import policy
from clusters.kube.errors import AddressRefused
from clusters.models import Cluster, Namespace
from mcm import demo, demo_people, env
from teams import access
from teams.models import User
from teams.roles import Action
from testbed.fleet import DEMO
from testbed.process import Ports
from tests import factories


def test_only_its_own_servers_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(policy, "_rules", ())
    monkeypatch.setenv("MCM_CLUSTER_ADDRESSES", "10.0.0.0/8")
    settings.CLUSTER_ADDRESSES = env.addresses("MCM_CLUSTER_ADDRESSES")
    demo.allow_addresses(tmp_path)
    ports = [Ports.of(tmp_path).known(f"{name}.apiserver") for name in DEMO]
    for port in ports:
        policy.check("127.0.0.1", port)
    policy.check("10.1.2.3", 1)
    for address, port in (("127.0.0.1", 1), ("127.0.0.2", ports[0]), ("::1", ports[0])):
        with pytest.raises(AddressRefused):
            policy.check(address, port)
    # The processes that are started now read it from their environment.
    assert {rule.port for rule in env.addresses("MCM_CLUSTER_ADDRESSES")} == {None, *ports}


def test_its_people_hold_what_is_told_of_them(db: None) -> None:
    for name in DEMO:
        cluster = factories.ClusterFactory.create(name=name)
        factories.NamespaceFactory.create(cluster=cluster, name="shop")
    admin = User.objects.create_superuser("admin", password="correct-horse-battery")
    assert "olga is in no team" in demo_people.make(admin)
    dana, sam, olga = (User.objects.get(username=name) for name in ("dana", "sam", "olga"))

    def held(user: User, action: Action, model: type[Cluster] | type[Namespace]) -> list[str]:
        return sorted(map(str, access.visible(user, model, action)))

    assert held(dana, Action.VIEW, Cluster) == ["dev", "prod"]
    assert held(dana, Action.OPERATE, Cluster) == ["dev"]
    assert held(sam, Action.VIEW, Namespace) == ["dev/shop", "prod/shop"]
    assert held(sam, Action.OPERATE, Namespace) == ["dev/shop"]
    assert held(sam, Action.OPERATE, Cluster) == held(olga, Action.VIEW, Cluster) == []
    assert all(user.check_password("correct-horse-battery") for user in (dana, sam, olga))
