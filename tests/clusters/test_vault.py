"""Secrets at rest open only for their owner, and with every key that is still known."""

import secrets

import pytest
from pytest_django import Settings

from clusters import vault
from clusters.models import Cluster
from operations.models import Operation

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)


def test_what_is_sealed_opens_and_is_not_readable() -> None:
    sealed = vault.seal(b"planted", "cluster:1")
    assert b"planted" not in sealed
    assert vault.unseal(sealed, "cluster:1") == b"planted"
    assert vault.seal(b"planted", "cluster:1") != sealed


def test_the_ciphertext_of_another_row_does_not_open(prod: Cluster, other: Cluster) -> None:
    prod.sealed_connection, other.sealed_connection = (
        other.sealed_connection,
        prod.sealed_connection,
    )
    for cluster in (prod, other):
        cluster.save()
        with pytest.raises(vault.CannotOpen):
            _ = Cluster.objects.get(pk=cluster.pk).connection


def test_an_operation_is_no_cluster(operation: Operation, prod: Cluster) -> None:
    operation.sealed_input = prod.sealed_connection
    with pytest.raises(vault.CannotOpen):
        operation.unseal()


def test_an_old_key_opens_and_the_newest_seals(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    before = vault.seal(b"planted", "a")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    after = vault.seal(b"planted", "a")
    assert vault.unseal(before, "a") == vault.unseal(after, "a") == b"planted"
    settings.ENCRYPTION_KEYS = [NEW]
    assert vault.unseal(after, "a") == b"planted"
    with pytest.raises(vault.CannotOpen, match="no key"):
        vault.unseal(before, "a")


@pytest.mark.parametrize("at", [0, 1, 5, 17, -1], ids=["version", "key", "nonce", "text", "tag"])
def test_a_damaged_byte_is_noticed(at: int) -> None:
    sealed = bytearray(vault.seal(b"planted", "a"))
    sealed[at] ^= 1
    with pytest.raises(vault.CannotOpen) as caught:
        vault.unseal(bytes(sealed), "a")
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 16, 20])
def test_a_cut_one_does_not_open(length: int) -> None:
    with pytest.raises(vault.CannotOpen):
        vault.unseal(vault.seal(b"planted", "a")[:length], "a")


@pytest.mark.parametrize("length", [0, 4, 5, 9, 17, 30])
def test_what_is_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(vault.CannotOpen):
        vault.unseal(vault.seal(b"planted", "a")[:length], "a")
