"""Two sides compared: receipts with orders, demand with supply, one system with another."""
