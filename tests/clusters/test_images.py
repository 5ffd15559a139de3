"""The images that objects have, kept beside them: which have a part, and which are forgotten."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from clusters.models import Cluster, Image, Object
from clusters.store import images
from clusters.store.images import EVERY, SLICES
from tests import factories
from tests.clusters.threads import together

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 10, 7, tzinfo=UTC)
NGINX, REDIS = "docker.io/library/nginx:1.27", "redis:8"


def pod(cluster: Cluster, *found: str) -> Object:
    made: Object = factories.PodFactory.create(cluster=cluster, images=list(found))
    return made


def a_day_of_sweeps() -> None:
    for number in range(SLICES):
        images.sweep(AT + number * EVERY)


def known() -> set[str]:
    return set(Image.objects.values_list("name", flat=True))


def test_images_come_with_their_objects(prod: Cluster) -> None:
    pod(prod, NGINX, REDIS)
    pod(prod, NGINX)
    assert known() == {NGINX, REDIS}
    Object.objects.update(images=["busybox"])
    assert known() == {NGINX, REDIS, "busybox"}


def test_a_part_is_found_in_any_case_and_many_are_said_to_be(prod: Cluster) -> None:
    pod(prod, NGINX, REDIS)
    assert images.containing("NGIN", 1) == [NGINX]
    assert images.containing("%", 1) == []
    assert images.containing("r", 1) is None


def test_within_a_day_images_of_nobody_are_forgotten(prod: Cluster) -> None:
    pod(prod, NGINX)
    pod(prod, REDIS).delete()
    a_day_of_sweeps()
    assert known() == {NGINX}


@pytest.mark.django_db(transaction=True)
def test_an_image_that_is_being_written_stays(prod: Cluster) -> None:
    pod(prod, REDIS).delete()

    with transaction.atomic():
        pod(prod, REDIS)
        together(a_day_of_sweeps)
    assert known() == {REDIS}
