"""BAI2 balance and transaction reports of banks in North America and beyond."""
