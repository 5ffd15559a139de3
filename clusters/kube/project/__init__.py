"""From an object of the API to its slim `Row`: one function for each kind, by subject."""

from clusters.kube.project.base import FAILING

__all__ = ["FAILING"]
