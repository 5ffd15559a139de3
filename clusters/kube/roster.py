"""Who acts in a cluster under a name of their own: the people, their groups and what those hold."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from clusters.kube.types import Identity

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


class Outside(ValueError):
    """This person holds nothing in the cluster, so nobody acts there under the name."""


class Held(NamedTuple):
    """What one group holds: a role in a namespace, or in the whole cluster where that is empty."""

    team: str
    role: Role
    group: str
    namespace: str = ""


class Roster(msgspec.Struct, frozen=True):
    """`people` are the names that may be impersonated, each with its groups.

    `admins_group` is bound to everything (cluster-admin) where it is given.
    """

    people: Mapping[str, tuple[str, ...]]
    held: tuple[Held, ...] = ()
    admins_group: str = ""

    @property
    def users(self) -> list[str]:
        return sorted(self.people)

    @property
    def groups(self) -> list[str]:
        """Those of somebody: a team without members is nobody."""
        return sorted({group for groups in self.people.values() for group in groups})

    def identity(self, user: str) -> Identity:
        """The person with this name; Outside for everybody else."""
        if not self.people.get(user):
            raise Outside("who holds nothing in a cluster is not impersonated there")
        return Identity(user, self.people[user])
