"""Objects as people write them: read from YAML, compared, merged, and hidden where they are secret.

Nothing here asks a cluster but `openapi` and `lookup`; what changes one is in `kube.acting`.
"""
