"""The people of the demo besides `admin`: sign in as one of them to see what a team sees."""

from typing import NamedTuple

from clusters.models import Cluster, Namespace
from teams import services
from teams.models import Membership, Team, User
from teams.roles import Role


class Grant(NamedTuple):
    """A role in a cluster of the demo, or in one namespace of it."""

    role: Role
    cluster: str
    namespace: str = ""

    @property
    def scope(self) -> Cluster | Namespace:
        if not self.namespace:
            return Cluster.objects.get(name=self.cluster)
        return Namespace.objects.get(cluster__name=self.cluster, name=self.namespace)


class Person(NamedTuple):
    """Somebody with a team of his own, which he manages; nothing where it has no name."""

    name: str
    team: str
    grants: tuple[Grant, ...]
    what: str


PEOPLE = (
    Person(
        "dana",
        "payments",
        (Grant(Role.OPERATOR, "dev"), Grant(Role.VIEWER, "prod")),
        "operates dev and sees prod",
    ),
    Person(
        "sam",
        "shop",
        (Grant(Role.OPERATOR, "dev", "shop"), Grant(Role.VIEWER, "prod", "shop")),
        "knows only the namespace shop: operates it in dev, sees it in prod",
    ),
    Person("olga", "", (), "is in no team"),
)


def make(admin: User) -> str:
    """Makes them with the admin's password; the line that tells of them."""
    for each in PEOPLE:
        person = services.save_user(User(username=each.name, password=admin.password), by=admin)
        if each.team:
            team = services.save_team(Team(name=each.team), by=admin)
            membership = Membership(team=team, user=person, is_manager=True)
            services.save_membership(membership, by=admin)
            for grant in each.grants:
                services.grant(team, grant.role, grant.scope, by=admin)
    told = "; ".join(f"{each.name} {each.what}" for each in PEOPLE)
    return f"People to try, each with the password of {admin.username}: {told}"
