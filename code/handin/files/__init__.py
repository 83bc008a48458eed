"""Which files belong, their fingerprint, and how outputs are put in place all at once."""
