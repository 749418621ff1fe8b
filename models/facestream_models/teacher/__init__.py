"""A non-causal phone classifier on a frozen speech encoder: labels real speech for the causal student."""
