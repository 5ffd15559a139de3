"""The slim copy of the clusters in PostgreSQL: the watcher and the polls write, pages read."""
