"""MCM on one machine: PostgreSQL, Valkey and MCM's own processes under one supervisor."""
