"""Who signs in, and that nobody has failed before."""

import pytest
from django.core.cache import cache

from teams.models import User
from tests.teams.signing import with_password


@pytest.fixture
def nothing_counted() -> None:
    """Failures are counted across tests: a test begins with none."""
    cache.clear()


@pytest.fixture
def person(viewer: User) -> User:
    return with_password(viewer)
