"""A fleet of a hundred clusters and a million rows that exist in the database alone."""

from bench.bench import Bench
from bench.instance import Instance

CLUSTERS = 100
NAMESPACES = 20
# Sees this many namespaces, in as many clusters.
LIMITED = "limited"
LIMITED_TO = 10


def fill(instance: Instance, bench: Bench, pods: int) -> None:
    """Lets each cluster have so many pods; the first call makes the clusters and the users."""
    bench.say(f"storing {CLUSTERS * pods:,} rows")
    instance.inside("fill", clusters=CLUSTERS, pods=pods, namespaces=NAMESPACES)
    instance.database.execute("VACUUM ANALYZE clusters_object")
    instance.database.execute("VACUUM ANALYZE clusters_tally")


def limit(instance: Instance) -> None:
    """Makes the user who sees some namespaces only."""
    pairs = [(name_of(n * 7 % CLUSTERS), f"team-{n:02d}") for n in range(LIMITED_TO)]
    instance.inside("grant", user=LIMITED, namespaces=pairs)


def name_of(number: int) -> str:
    """The name of a cluster."""
    return f"fleet-{number:03d}"
