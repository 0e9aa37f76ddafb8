"""One folder a vendor protocol."""
