"""CAMT.052, .053 and .054: what banks say of an account, as ISO 20022 messages."""
