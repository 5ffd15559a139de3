"""Sockets of what people look at for a while."""
