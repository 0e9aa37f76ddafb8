"""Webhooks in, from vendors; webhooks out, to subscribers."""
