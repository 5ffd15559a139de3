"""Composition of the apps: settings, addresses, processes."""
