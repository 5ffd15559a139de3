"""The Django admin of clusters, grants, what was seen of clusters, and who watches them."""

from clusters.admin import grants, registry, seen, watching

__all__ = ["grants", "registry", "seen", "watching"]
