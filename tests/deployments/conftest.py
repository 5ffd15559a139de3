"""Somebody who operates the registered real cluster."""

import pytest

from clusters.models import Cluster
from deployments import services
from deployments.models import Chart
from teams.models import User
from teams.roles import Role
from tests import factories
from tests.helm.releases import DEMO


@pytest.fixture
def deployer(real: Cluster) -> User:
    """Operates the real cluster."""
    user = factories.UserFactory.create(username="deployer")
    factories.give(user, Role.OPERATOR, real)
    return user


@pytest.fixture
def demo(admin: User) -> Chart:
    """A small chart: a Deployment and a Secret."""
    return services.upload_chart(DEMO, by=admin)
