"""Tryton: orders and stock of a real ERP over JSON-RPC, in a process of its own."""
