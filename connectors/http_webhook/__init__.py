"""Any system that posts JSON: configured with a verifier and a field map, without code."""
