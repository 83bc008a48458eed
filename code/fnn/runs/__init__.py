"""How training runs are kept and spread: the store, shards, progress, the study on a cluster."""
