"""The clusters that a token is for, by name: `teams` knows them only by their keys."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from clusters.models import Cluster
from teams import access
from teams.models import Token, User


class Shown(NamedTuple):
    """A token as lists show it; `clusters` is None where it is for all."""

    token: Token
    clusters: list[str] | None


def shown(user: User, tokens: Iterable[Token]) -> list[Shown]:
    """The tokens with the names of those of their clusters that the person sees."""
    found = list(tokens)
    keys = {key for token in found for key in token.only or ()}
    seen = access.visible(user, Cluster).filter(pk__in=keys).order_by("name") if keys else ()
    names = {cluster.pk: cluster.name for cluster in seen}
    return [
        Shown(token, None if token.only is None else [names[key] for key in names if key in only])
        for token in found
        for only in [token.only or ()]
    ]


def keys(user: User, wanted: Iterable[str]) -> frozenset[UUID]:
    """The keys of clusters that are named by name or id; LookupError for one that is not there, or
    not to be seen.
    """
    known = {str(pk): pk for pk in access.visible(user, Cluster).values_list("pk", flat=True)}
    known |= dict(access.visible(user, Cluster).values_list("name", "pk"))
    for name in wanted:
        if name not in known:
            raise LookupError(name)
    return frozenset(known[name] for name in wanted)
