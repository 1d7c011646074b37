"""The command line: `kith VERB ...`."""
