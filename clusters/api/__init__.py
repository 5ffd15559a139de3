"""`/api/v1/clusters` and what lies under it."""
