"""Rotating the keys: cut off at any point all rows are readable, and a second run completes."""

import base64
import os
import secrets
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from clusters import vault
from clusters.models import Cluster
from mcm.embedded.state import PROJECT
from operations.models import Operation
from tests import factories

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)


@pytest.fixture
def sealed(settings: Any, db: None) -> int:
    """Rows sealed with the old key; the new one is known since. How many there are."""
    settings.ENCRYPTION_KEYS = [OLD]
    _make_rows()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    return 12


def _make_rows() -> None:
    for cluster in factories.ClusterFactory.create_batch(6):
        factories.OperationFactory.create(cluster=cluster, payload=b"planted")


def readable() -> int:
    clusters = [row.connection for row in Cluster.objects.all()]
    operations = [row.unseal() for row in Operation.objects.all()]
    assert all(each.token == "planted-cluster-token" for each in clusters)
    assert set(operations) == {b"planted"}
    return len(clusters) + len(operations)


def test_every_sealed_column_is_known() -> None:
    found = {f"{model.__name__}.{column.name}" for model, column in vault.sealed_columns()}
    assert found == {
        "Cluster.sealed_connection",
        "Former.sealed",
        "Operation.sealed_input",
        "TranscriptPiece.sealed",
    }


def test_afterwards_the_new_key_alone_opens_all(sealed: int, settings: Any) -> None:
    versions = set(Cluster.objects.values_list("connection_version", flat=True))
    call_command("rotate_keys", batch=5)
    assert readable() == sealed
    settings.ENCRYPTION_KEYS = [NEW]
    assert readable() == sealed
    settings.ENCRYPTION_KEYS = [OLD]
    for row in Cluster.objects.all():
        with pytest.raises(vault.CannotOpen):
            _ = row.connection
    assert set(Cluster.objects.values_list("connection_version", flat=True)) == versions


def test_a_second_run_has_nothing_to_do(sealed: int, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rotate_keys")
    before = set(Cluster.objects.values_list("sealed_connection", flat=True))
    call_command("rotate_keys")
    assert "0 rows sealed anew" in capsys.readouterr().out
    assert {*Cluster.objects.values_list("sealed_connection", flat=True)} == before


def test_what_no_key_opens_is_told_and_left(sealed: int, settings: Any) -> None:
    lost = Cluster.objects.order_by("pk")[2]
    Cluster.objects.filter(pk=lost.pk).update(sealed_connection=b"\x01damaged bytes of some length")
    with pytest.raises(CommandError, match="1 rows"):
        call_command("rotate_keys", batch=2)
    lost.delete()
    settings.ENCRYPTION_KEYS = [NEW]
    assert readable() == sealed - 2  # its operation went with it


@pytest.mark.django_db(transaction=True)
def test_killed_in_half_it_harms_nothing(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    _make_rows()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    keys = ",".join(base64.urlsafe_b64encode(key).decode() for key in (NEW, OLD))
    database = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), "rotate_keys", "--batch", "1"],
        env={**os.environ, "DATABASE_URL": url, "MCM_ENCRYPTION_KEYS": keys},
        stdout=subprocess.PIPE,
    )
    with process, transaction.atomic():
        assert process.stdout is not None
        # It comes to the last row, and waits for it.
        Operation.objects.select_for_update().order_by("pk").last()
        for _ in range(11):
            assert b"sealed anew" in process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert [_is_new(row) for row in _sealed()] == [True] * 11 + [False]
    assert readable() == 12
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = [NEW]
    assert readable() == 12


def _sealed() -> list[bytes]:
    clusters = Cluster.objects.order_by("pk").values_list("sealed_connection", flat=True)
    operations = Operation.objects.order_by("pk").values_list("sealed_input", flat=True)
    return [bytes(row) for row in (*clusters, *operations)]


def _is_new(sealed: bytes) -> bool:
    return sealed.startswith(vault.newest_mark())
