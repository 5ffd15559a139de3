"""The REST API of objects."""
