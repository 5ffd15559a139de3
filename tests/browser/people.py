"""The people of the browser tests, made inside the product (`Product.shell`)."""

from django.contrib.auth.hashers import make_password

from clusters.models import Cluster
from teams.roles import Role
from tests import factories
from tests.browser.product import PASSWORD


def make() -> None:
    """`viewer` sees dev, `shopper` sees the namespace shop of dev, `outsider` sees nothing."""
    dev = Cluster.objects.get(name="dev")
    password = make_password(PASSWORD)
    viewer, shopper, _outsider = (
        factories.UserFactory(username=name, password=password)
        for name in ("viewer", "shopper", "outsider")
    )
    factories.give(viewer, Role.VIEWER, dev)
    factories.give(shopper, Role.VIEWER, dev.namespaces.get(name="shop"))
