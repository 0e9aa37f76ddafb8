"""Field maps: one system's record into another's, as data, with a trace of every field."""
