"""`python -m bench.inside NAME`: a function on the database of an instance, JSON in and out."""

import json
import sys
from datetime import timedelta

import django

django.setup()

from django.db import transaction  # noqa: E402 - needs the settings, like all below
from django.test import Client  # noqa: E402

from bench import filling  # noqa: E402
from clusters.kube import kubeconfig  # noqa: E402
from clusters.models import Cluster, Environment, Namespace, Object, Status  # noqa: E402
from clusters.services import registration  # noqa: E402
from explorer.filters import cursors  # noqa: E402
from explorer.filters.ordering import Order  # noqa: E402
from teams import services  # noqa: E402
from teams.models import Membership, Team, User  # noqa: E402
from teams.roles import Role  # noqa: E402

ADMIN = "admin"


@transaction.atomic
def register(clusters: dict[str, str], held: bool) -> dict[str, str]:
    """Stores clusters as a registration does after its checks; several may be the same server.

    `held` ones have a lease that nobody can take.
    """
    environments = list(Environment)
    made = {}
    for number, (name, text) in enumerate(clusters.items()):
        environment = environments[number % len(environments)]
        cluster = Cluster(name=name, environment=environment, status=Status.ACTIVE)
        cluster.connection = kubeconfig.parse(text)
        cluster.save(force_insert=True)
        if held:
            filling.lease(cluster)
        made[name] = str(cluster.pk)
    return made


def session(user: str) -> str:
    """The cookie of a user who has signed in; the platform admin when he is `admin`."""
    person, _ = User.objects.get_or_create(username=user, defaults={"is_superuser": user == ADMIN})
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


def grant(user: str, namespaces: list[tuple[str, str]]) -> int:
    """Lets a user view namespaces, given as pairs of a cluster's name and a namespace."""
    team = _team_of(user)
    for cluster, name in namespaces:
        scope = Namespace.objects.get(cluster__name=cluster, name=name)
        services.grant(team, Role.VIEWER, scope, by=None)
    return len(namespaces)


def grant_clusters(user: str, clusters: list[str]) -> int:
    """Lets a user view whole clusters."""
    team = _team_of(user)
    for scope in Cluster.objects.filter(name__in=clusters):
        services.grant(team, Role.VIEWER, scope, by=None)
    return len(clusters)


def _team_of(user: str) -> Team:
    person, _ = User.objects.get_or_create(username=user)
    team = services.save_team(Team(name=f"team-of-{user}"), by=None)
    services.save_membership(Membership(team=team, user=person), by=None)
    return team


def fill(clusters: int, pods: int, namespaces: int) -> int:
    """See `bench.filling`."""
    return filling.fill(clusters, pods, namespaces)


def remove(clusters: list[str]) -> int:
    """Forgets clusters as the product does; returns how many."""
    admin = User.objects.get(username=ADMIN)
    for name in clusters:
        registration.delete(Cluster.objects.get(name=name), by=admin)
    return len(clusters)


def middle(sort: str) -> str:
    """The cursor of a page in the middle of all pods, and of the person who sees everything."""
    columns = (*Order.named(sort).columns, "pk")
    pods = Object.objects.filter(kind="Pod").order_by(*columns)
    return cursors.write(sort, list(pods.values_list(*columns)[pods.count() // 2]))


def token(user: str) -> str:
    """An API token of the user."""
    person = User.objects.get(username=user)
    return services.create_token(person, timedelta(days=1), by=None)


if __name__ == "__main__":
    arguments = json.load(sys.stdin)
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](**arguments)) + "\n")
