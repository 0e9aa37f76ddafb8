"""A manufacturer's working day, played through real signatures, real files and simulated vendors on loopback."""
