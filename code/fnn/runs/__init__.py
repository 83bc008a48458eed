"""How trained networks are kept and computed side by side: the store, its keys, the pool."""
