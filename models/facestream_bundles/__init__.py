"""Shipped bundles, data only: `head/` (the open head and its rig profile), `live/` (the causal student)."""
