"""Changes of the registry: each one transaction, audited, with its effects after the commit."""
