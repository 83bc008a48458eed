"""The loss landscape: how runs end, distinct minima, curvature, limit models."""
