"""The slim copy of the clusters in PostgreSQL: written by the watcher and the polls, read by pages."""
