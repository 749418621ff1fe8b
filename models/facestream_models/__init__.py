"""The science: FLAME heads, corpus, networks, metrics, export. Uses torch; the runtime never imports it."""
