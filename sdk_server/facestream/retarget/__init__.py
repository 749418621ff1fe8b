"""Motion of a FLAME-format head to ARKit weights."""
