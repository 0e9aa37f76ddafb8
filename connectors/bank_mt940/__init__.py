"""SWIFT account statements: MT940 and MT942, with the dialects of their free text told apart by content."""
