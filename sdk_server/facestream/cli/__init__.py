"""The `facestream` command: one file a subcommand, thin over the packages that do the work."""
