"""MCM connects to public addresses and to those that the operator lists, and to no others."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import translation

from clusters.kube import errors, policy
from clusters.kube.client import Client as KubeClient
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import Cluster
from mcm import env
from teams.models import User

PRIVATE = [
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "127.0.0.1", "100.64.0.1", "198.18.0.1", "192.0.2.1",
    "240.0.0.1", "::1", "fd00::1", "fec0::1", "2001:db8::1", "2002:0a00:0001::1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::10.0.0.1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
    "::ffff:169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254", "255.255.255.255",
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_policy(settings: Any) -> Iterator[None]:
    """Nothing is listed, until a test lists it."""
    policy.use([])
    yield
    policy.use(settings.CLUSTER_ADDRESSES)


def listed(*rules: str) -> None:
    policy.use(map(policy.parse, rules))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    policy.check(address, 443)


@pytest.mark.parametrize("address", PRIVATE)
def test_others_must_be_listed(address: str) -> None:
    with pytest.raises(errors.AddressRefused, match="MCM_CLUSTER_ADDRESSES"):
        policy.check(address, 6443)


@pytest.mark.parametrize("address", NEVER)
def test_some_can_never_be_listed(address: str) -> None:
    listed("0.0.0.0/0", "::/0")
    with pytest.raises(errors.AddressRefused, match="metadata"):
        policy.check(address, 443)


def test_one_listed_address_opens_no_other() -> None:
    listed("10.1.2.3/32:6443", "[fd00:1::/64]:443", "192.168.0.0/16")
    for allowed in (
        ("10.1.2.3", 6443),
        ("fd00:1::9", 443),
        ("192.168.9.9", 1),
        ("::ffff:10.1.2.3", 6443),
    ):
        policy.check(*allowed)
    for refused in (("10.1.2.3", 443), ("10.1.2.4", 6443), ("fd00:1::9", 444), ("fd00:2::9", 443)):
        with pytest.raises(errors.AddressRefused):
            policy.check(*refused)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8:6443", "[fd00::/8]:6443", "fd00::/8", "[fd00::/8]", "10.0.0.1"]
)
def test_what_a_list_may_hold(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCM_CLUSTER_ADDRESSES", f"{text}, 127.0.0.0/8")
    assert len(env.addresses("MCM_CLUSTER_ADDRESSES")) == 2


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/8", "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:70000", "10.0.0.0/8:x", "a.example",
     "[10.0.0.0/8]:443", "[fd00::/8", "[fd00::/8]:", "fd00::/8:6:x", "10.0.0.0/99"],
)  # fmt: skip
def test_a_wrong_list_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCM_CLUSTER_ADDRESSES", text)
    with pytest.raises(ImproperlyConfigured, match=r"^MCM_CLUSTER_ADDRESSES: "):
        env.addresses("MCM_CLUSTER_ADDRESSES")


@pytest.mark.cluster
def test_the_page_names_the_address_and_the_setting(
    client: Client, admin: User, kubeconfig: str
) -> None:
    client.force_login(admin)
    data = {"name": "new", "environment": "dev", "kubeconfig": kubeconfig}
    answer = client.post("/clusters/register/", data)
    states = [step["state"] for step in answer.context["steps"]]
    assert states == ["done", "failed", *["waiting"] * 5]
    said = str(answer.context["form"].errors["kubeconfig"])
    assert "127.0.0.1/32:" in said
    assert "MCM_CLUSTER_ADDRESSES" in said
    answer = client.post("/api/v1/clusters", data, content_type="application/json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["kubeconfig"])
    assert not Cluster.objects.exists()


def test_names_are_judged_by_all_that_they_lead_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also at a later connect: the name may lead elsewhere then."""
    listed("127.0.0.0/8")
    found, real = ["127.0.0.1"], socket.getaddrinfo

    def look_up(host: str, port: int, *how: Any, **kind: Any) -> list[Any]:
        if host != "cluster.example":
            return real(host, port, *how, **kind)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    server = "https://cluster.example:1"
    connection = Connection(server=server, token="planted")
    with KubeClient(connection, SERVICE_ACCOUNT) as client:
        with pytest.raises(errors.Unreachable, match="nothing listens"):
            client.version()
        found[:] = ["127.0.0.1", "10.0.0.1"]
        with pytest.raises(errors.AddressRefused, match=r"10\.0\.0\.1"):
            client.version()
        found[:] = []
        with pytest.raises(errors.Unreachable, match="not known"):
            client.version()


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1", "169.254.169.254"])
def test_a_stored_refusal_is_read_in_ones_own_language(address: str) -> None:
    with pytest.raises(errors.AddressRefused) as refused:
        policy.check(address, 6443)
    told = Cluster(status_reason=str(refused.value))
    assert told.reason == str(refused.value)
    with translation.override("zh-hans"):
        assert address in told.reason
        assert "refused" not in told.reason
    assert Cluster(status_reason="Something else.").reason == "Something else."
    assert Cluster(status_reason="").reason == ""
