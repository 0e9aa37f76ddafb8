"""Any table in a file: one raw a row, by the names of its columns; a field map says what it means."""
