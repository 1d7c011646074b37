"""`kith evaluate`: how often the answers are wrong."""

from kith.cli.evaluate import clusters, compare, identification, transfer, verification
from kith.cli.evaluate.app import app as app

__all__ = ["app", "clusters", "compare", "identification", "transfer", "verification"]
