"""Who waits for a cluster keeps nobody from the database."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction

from clusters.kube.errors import KubeError
from clusters.models import Cluster
from clusters.services import checks, figures, kinds
from clusters.services.checks import RegistrationFailed
from teams.models import User

Wait = Callable[[User, Cluster, str], object]
WAITS: dict[str, Wait] = {
    "registering": lambda _user, _cluster, text: checks.look(checks.Look(text)),
    "its kinds": lambda user, cluster, _text: kinds.available(cluster, by=user),
    "its use": lambda user, cluster, _text: figures.resources(user, cluster),
}


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a connection was held, each time that a cluster was about to be asked."""
    held: list[bool] = []
    for module in (checks, kinds, figures):
        client: Any = module.Client

        def ask(*args: Any, client: Any = client, **options: Any) -> Any:
            held.append(connection.connection is not None)
            return client(*args, **options)

        monkeypatch.setattr(module, "Client", ask)
    return held


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_who_waits_for_a_cluster_holds_no_connection(
    wait: Wait, holding: list[bool], owner: User, prod: Cluster, kubeconfig: str
) -> None:
    with suppress(KubeError, RegistrationFailed):
        wait(owner, prod, kubeconfig)
    assert holding == [False]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_goes_on(holding: list[bool], owner: User, prod: Cluster) -> None:
    with transaction.atomic():
        Cluster.objects.filter(pk=prod.pk).update(region="moved")
        with suppress(KubeError):
            kinds.available(prod, by=owner)
        assert holding == [True]
    assert Cluster.objects.get(pk=prod.pk).region == "moved"
