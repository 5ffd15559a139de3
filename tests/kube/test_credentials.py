"""As whom credentials sign in, as far as they say; never more than one harmless line."""

import base64
import json
from typing import Any

import pytest

from clusters.kube import credentials, kubeconfig
from clusters.kube.types import Connection
from testbed.cluster import Cluster


def of_token(token: str) -> str:
    return credentials.subject(Connection(server="https://h", token=token))


def signed(claims: Any) -> str:
    """A token with these claims; nobody here verifies its signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


def test_a_token_names_its_account() -> None:
    account = "system:serviceaccount:mcm-system:mcm"
    assert of_token(signed({"sub": account})) == account


@pytest.mark.parametrize(
    "token", ["opaque", "a.b", "a.!.c", signed([]), signed({"sub": 7}), signed({})]
)
def test_others_do_not_say(token: str) -> None:
    assert of_token(token) == ""


def test_hostile_words_are_made_harmless() -> None:
    assert of_token(signed({"sub": "a\n\x1b[31mb" + "c" * 999})).startswith("a [31mb")
    assert len(of_token(signed({"sub": "c" * 999}))) <= 300


@pytest.mark.cluster
def test_a_certificate_names_user_and_groups(cluster: Cluster) -> None:
    connection = kubeconfig.parse(cluster.certificate_kubeconfig("ada", ["ops", "dev"]))
    assert credentials.subject(connection) == "ada (ops, dev)"
