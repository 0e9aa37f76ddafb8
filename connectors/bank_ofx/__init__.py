"""OFX and QFX: statements of bank accounts and credit cards, and the cash side of investment accounts."""
