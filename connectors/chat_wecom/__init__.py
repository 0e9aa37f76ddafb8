"""企业微信: messages to people and groups, cards that are answered, encrypted callbacks."""
