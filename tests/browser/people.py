"""The people of the browser tests, made inside the product (`Product.shell`)."""

from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore

from clusters.models import Cluster, Object
from deployments import services
from deployments.models import Release
from teams import services as teams
from teams.models import AuditEvent, Grant, GroupMapping, User
from teams.roles import Role
from testbed.waiting import wait_until
from tests import factories
from tests.browser.product import PASSWORD
from tests.helm import archives

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\n"


def make() -> None:
    """`viewer` sees dev, `shopper` sees the namespace shop of dev, `outsider` sees nothing."""
    dev = Cluster.objects.get(name="dev")
    password = make_password(PASSWORD)
    viewer, shopper, _outsider = [
        teams.save_user(User(username=name, password=password), by=None)
        for name in ("viewer", "shopper", "outsider")
    ]
    factories.give(viewer, Role.VIEWER, dev)
    factories.give(shopper, Role.VIEWER, dev.namespaces.get(name="shop"))


def guests() -> None:
    """The outsider's team, which holds nothing."""
    factories.team("guests", User.objects.get(username="outsider"))


def newcomer(name: str, **more: bool) -> None:
    """Somebody who signs in for himself."""
    made = User(username=name, password=make_password(PASSWORD), **more)
    teams.save_user(made, by=None)


def disable(name: str) -> None:
    person = User.objects.get(username=name)
    person.is_active = False
    teams.save_user(person, by=None)


def forget_confirmation(name: str) -> None:
    """As if the person had signed in an hour ago."""
    for row in UserSession.objects.filter(user__username=name):
        session = SessionStore(row.session_key)
        for record in session["account_authentication_methods"]:
            record["at"] -= 3600
        session.save()


def map_group(name: str) -> None:
    """The provider's group is a team of that name."""
    team = factories.team(name)
    GroupMapping.objects.create(provider="company", group=name, team=team)


def places() -> None:
    """Prints keys for addresses: of a cluster, a pod, and of a release that is made now."""
    dev = Cluster.objects.get(name="dev")
    pod = Object.objects.filter(cluster=dev, kind="Pod", namespace="shop").earliest("pk")
    admin = User.objects.get(username="admin")
    chart = services.upload_chart(archives.chart({"templates/a.yaml": CONFIG}), by=admin)
    wanted = services.InstallRequest(dev, "pages", "pages", chart, wait=False)
    operation = services.request_install(wanted, by=admin)
    made = Release.objects.filter(cluster=dev, name="pages")
    wait_until(made.exists, "the release", timeout=60)
    keys = {"cluster": dev, "pod": pod, "release": made.get(), "operation": operation}
    grant = Grant.objects.filter(team__members__username="viewer").earliest("pk")
    keys |= {"grant": grant, "team": grant.team, "person": grant.team.members.get()}
    keys["event"] = AuditEvent.objects.filter(action="cluster.register").earliest("pk")
    print(*(f"{name}={row.pk}" for name, row in keys.items()))  # noqa: T201
