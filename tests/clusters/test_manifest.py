"""The account that the manifest makes: as its commands say, on a real cluster, and no more."""

import re
import secrets
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.test import Client

from clusters.kube import manifest
from clusters.kube.kinds import KINDS
from clusters.models import Cluster
from deployments.helm import programs
from teams.models import User
from testbed.cluster import Cluster as RealCluster

API = "/api/v1/clusters/manifest"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


class Account:
    """What the page says, done with real kubectl under names of this test's own."""

    def __init__(self, cluster: RealCluster, folder: Path) -> None:
        self.name = f"mcm-{secrets.token_hex(4)}"
        self.folder = folder
        (folder / "admin.yaml").write_text(cluster.kubeconfig)
        (folder / "bin").mkdir()
        (folder / "bin" / "kubectl").symlink_to(programs.find("kubectl").path)

    def kubeconfig(self, text: str, token: str) -> str:
        """Applies the manifest, gets the token by this command, and makes the kubeconfig."""
        (self.folder / f"{self.name}.yaml").write_text(self._own(text))
        self.run("set -e", manifest.APPLY, token, manifest.KUBECONFIG)
        return (self.folder / f"{self.name}-kubeconfig.yaml").read_text()

    def run(self, *commands: str) -> None:
        environment = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "admin.yaml"),
        }
        done = subprocess.run(
            ["sh", "-c", self._own("\n".join(commands))], cwd=self.folder, env=environment,
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _own(self, text: str) -> str:
        return re.sub(r"\bmcm\b", self.name, text)


@pytest.fixture
def account(cluster: RealCluster, tmp_path: Path) -> Iterator[Account]:
    made = Account(cluster, tmp_path)
    yield made
    made.run(
        "kubectl delete --ignore-not-found --wait=false namespace/mcm-system clusterrole/mcm"
        " clusterrolebinding/mcm clusterrolebinding/mcm-deploy"
    )


def rules(text: str) -> dict[tuple[str, str], set[str]]:
    """The verbs that the manifest's own role grants, by API group and resource."""
    (role,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "ClusterRole")
    found: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        for group in rule.get("apiGroups", []):
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


def test_watching_alone_grants_no_secret_and_no_change() -> None:
    found = rules(manifest.manifest(["watch"]))
    assert ("", "secrets") not in found
    assert set().union(*found.values()) == {"get", "list", "watch"}
    for kind in KINDS.values():
        if not kind.path.endswith("/secrets"):
            start, _, plural = kind.path.rpartition("/")
            group = start.split("/")[2] if start.startswith("/apis/") else ""
            assert {"list", "watch"} <= found[group, plural], kind.name
    # Namespaces: kube-system alone; nothing else of the role is about single objects.
    assert [key for key, verbs in found.items() if "get" in verbs] == [("", "namespaces")]


@pytest.mark.parametrize("feature", manifest.FEATURES[1:])
def test_each_feature_adds_what_it_needs(feature: str) -> None:
    least, more = (manifest.manifest(each) for each in (["watch"], ["watch", feature]))
    if feature == "deploy":
        assert rules(more) == rules(least)
        assert "name: cluster-admin" in more
        assert "name: cluster-admin" not in least
        return
    added = {key for key, verbs in rules(more).items() if verbs != rules(least).get(key)}
    assert added == {
        "metrics": {("metrics.k8s.io", "nodes"), ("metrics.k8s.io", "pods")},
        "logs": {("", "pods/log")},
        "secrets": {("", "secrets")},
        "exec": {("", "pods/exec")},
    }[feature]  # fmt: skip


@pytest.mark.cluster
@pytest.mark.parametrize("token", [manifest.TOKEN, manifest.LASTING_TOKEN], ids=["token", "secret"])
def test_a_cluster_is_registered_with_it(token: str, mcm: Client, account: Account) -> None:
    text = mcm.get(f"{API}?features=watch,metrics").content.decode()
    kubeconfig = account.kubeconfig(text, token)
    body = {"name": "by-account", "environment": "dev", "kubeconfig": kubeconfig}
    answer = mcm.post("/api/v1/clusters", body, content_type="application/json")
    assert answer.status_code == 201, answer.json()
    stored = Cluster.objects.get()
    permitted = {kind for kind, allowed in stored.rights["kinds"].items() if allowed}
    assert permitted == KINDS.keys() - {"Secret", "HelmRelease"}
    assert not any(stored.rights["actions"].values())
    assert stored.rights["complete"]
    assert stored.credential_kind == "token"
    assert (stored.credential_expires is None) == (token == manifest.LASTING_TOKEN)
    assert stored.system_uid


@pytest.mark.cluster
def test_with_everything_it_may_do_everything(mcm: Client, account: Account) -> None:
    every = ",".join(manifest.FEATURES)
    text = mcm.get(f"{API}?features={every}").content.decode()
    kubeconfig = account.kubeconfig(text, manifest.TOKEN)
    body = {"name": "by-account", "environment": "dev", "kubeconfig": kubeconfig}
    mcm.post("/api/v1/clusters", body, content_type="application/json")
    rights = Cluster.objects.get().rights
    assert all([*rights["kinds"].values(), *rights["actions"].values()])


def test_the_api_gives_yaml_and_names_a_wrong_feature(mcm: Client) -> None:
    answer = mcm.get(API)
    assert answer.headers["Content-Type"].startswith("text/yaml")
    assert answer.content.decode() == manifest.manifest(["watch"])
    wrong = mcm.get(f"{API}?features=watch,none")
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["features"])


def test_the_page_shows_it_with_the_commands(mcm: Client) -> None:
    page = mcm.get("/clusters/manifest/").content.decode()
    assert "kubectl create token mcm --namespace mcm-system --duration=8760h" in page
    assert "cluster-admin" in page  # the explanation; the manifest itself has it not yet
    usual = ["watch", "metrics", "logs"]
    assert mcm.get("/clusters/manifest/").context["features"] == usual
    query = "features=watch&features=secrets"
    part = mcm.get(f"/clusters/manifest/?{query}", headers={"HX-Request": "true"})
    assert b"names and Helm releases" in part.content
    assert b"<html" not in part.content
    file = mcm.get(f"/clusters/manifest/?{query}&download=1")
    assert file.content.decode() == manifest.manifest(["watch", "secrets"])
    assert "mcm.yaml" in file.headers["Content-Disposition"]


def test_what_is_turned_on_in_a_cluster_may_be_watched(mcm: Client, prod: Cluster) -> None:
    for plural in ("issuers", "certificates"):
        prod.custom_resources.create(
            group="cert-manager.io", version="v1", plural=plural, kind="Any", namespaced=True
        )
    text = mcm.get(f"{API}?cluster={prod.pk}").content.decode()
    least = rules(manifest.manifest(["watch"]))
    assert {key: verbs for key, verbs in rules(text).items() if key not in least} == {
        ("cert-manager.io", "certificates"): {"list", "watch"},
        ("cert-manager.io", "issuers"): {"list", "watch"},
    }
    query = f"features=watch&cluster={prod.pk}"
    assert mcm.get(f"/clusters/manifest/?{query}&download=1").content.decode() == text
    page = mcm.get(f"/clusters/manifest/?{query}").content.decode()
    assert f"{query.replace('&', '&amp;')}&amp;download=1" in page
    assert (
        f"/clusters/manifest/?cluster={prod.pk}"
        in mcm.get(f"/clusters/{prod.pk}/credentials/").content.decode()
    )
    for nowhere in ("x", str(uuid.UUID(int=7))):
        assert mcm.get(f"{API}?cluster={nowhere}").status_code == 404
        assert mcm.get(f"/clusters/manifest/?cluster={nowhere}").status_code == 404
