"""`manage.py import_kubeconfig`: files that a kubeconfig names, read where its owner runs it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusters.kube import kubeconfig as kube
from clusters.models import Cluster
from teams.models import User
from testbed.cluster import Cluster as RealCluster

pytestmark = pytest.mark.cluster


@pytest.fixture
def file(tmp_path: Path, kubeconfig: str) -> Path:
    """The kubeconfig of the real cluster, its certificates and key in files beside it."""
    config = json.loads(kubeconfig)
    (tmp_path / "pki").mkdir()
    for entry in (config["clusters"][0]["cluster"], config["users"][0]["user"]):
        for key in [key for key in entry if key.endswith("-data")]:
            name = key.removesuffix("-data")
            (tmp_path / "pki" / name).write_bytes(base64.b64decode(entry.pop(key)))
            entry[name] = f"pki/{name}"
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    return path


def imported(file: Path, **options: Any) -> None:
    call_command("import_kubeconfig", str(file), name="new", environment="dev", **options)


def test_files_are_read_and_the_cluster_is_registered(
    file: Path, admin: User, kubeconfig: str, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(file, region="eu")
    stored = Cluster.objects.get()
    assert (stored.name, stored.region, stored.created_by) == ("new", "eu", admin)
    assert stored.connection == kube.parse(kubeconfig)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == [
        "Read the kubeconfig", "Check the address", "Connect to the API server",
        "Read the server version", "List the nodes", "See what MCM may do there",
        "Store it encrypted",
    ]  # fmt: skip
    assert "3 nodes" in said[4]
    assert "BEGIN" not in "".join(said)


def test_a_token_file_too(
    tmp_path: Path, admin: User, cluster: RealCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads(cluster.kubeconfig)
    (tmp_path / "token").write_text("planted-unknown-token\n")
    config["users"][0]["user"] = {"tokenFile": "token"}
    (tmp_path / "config").write_text(json.dumps(config))
    with pytest.raises(CommandError, match="Connect to the API server: The cluster does not"):
        imported(tmp_path / "config")
    assert "planted" not in capsys.readouterr().out
    assert not Cluster.objects.exists()


def test_a_missing_file_is_named_with_its_field(file: Path, admin: User) -> None:
    (file.parent / "pki" / "client-key").unlink()
    with pytest.raises(CommandError, match=r"users\[0\]\.user\.client-key: .*No such file"):
        imported(file)
    with pytest.raises(CommandError, match="cannot be read"):
        imported(file.parent / "none")


def test_programs_are_never_run(file: Path, admin: User) -> None:
    config = json.loads(file.read_text())
    config["users"][0]["user"] = {"exec": {"command": "touch", "args": [str(file) + ".ran"]}}
    file.write_text(json.dumps(config))
    with pytest.raises(CommandError, match=r"users\[0\]\.user\.exec: (.|\n)*/clusters/manifest/"):
        imported(file)
    assert not Path(f"{file}.ran").exists()
    assert not Cluster.objects.exists()


def test_only_a_platform_admin_registers(file: Path, admin: User, viewer: User) -> None:
    with pytest.raises(CommandError, match="no platform admin"):
        imported(file, as_user="viewer")
    with pytest.raises(CommandError, match="no active user"):
        imported(file, as_user="nobody")
    with pytest.raises(CommandError, match="--name"):
        call_command("import_kubeconfig", str(file), name="-x", environment="dev")
    assert not Cluster.objects.filter(name="new").exists()
