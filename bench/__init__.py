"""How fast MCM is, beside named peers, in one run: see README.md."""
