"""Pages as tests read them: a person asks, and the text comes in one line."""

from django.test import Client
from django.utils import timezone

from clusters.models import Capacity, Cluster
from teams.models import User


def get(user: User, path: str, *, htmx: bool = False, **headers: str) -> str:
    """A page for a person; `htmx` asks for the part that a live update fetches."""
    client = Client(headers={**({"HX-Request": "true"} if htmx else {}), **headers})
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def order(page: str, *words: str) -> list[str]:
    """Those of the words that stand on the page, in its order."""
    return sorted((word for word in words if word in page), key=page.index)


def measured(cluster: Cluster) -> None:
    """The cluster answers, is watched, and was measured: half its CPU, a quarter of its memory."""
    cluster.observed_at = timezone.now()
    cluster.has_metrics = True
    cluster.save()
    Capacity.objects.create(
        cluster=cluster, cpu_used=2000, cpu_requested=3000, cpu_allocatable=4000,
        memory_used=1024, memory_requested=2048, memory_allocatable=4096,
        sampled_at=timezone.now(),
    )  # fmt: skip
