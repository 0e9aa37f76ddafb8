"""Chinese bank exports, corporate and personal: CSV, XLS and XLSX, columns found by name."""
