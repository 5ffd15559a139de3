"""Questions about the inventory: how they are typed, what they mean, how they are answered."""
