"""The demo opens the ports of its own API servers, and nothing else of this machine."""

from pathlib import Path
from typing import Any

import pytest

from clusters.kube import policy
from clusters.kube.errors import AddressRefused
from mcm import demo, env
from testbed.fleet import DEMO
from testbed.process import Ports


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
