"""What the subcommands of `m3` do; `graph.cli` declares them and imports these when they run."""
