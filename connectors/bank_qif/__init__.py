"""QIF: account registers as Quicken, Money, GnuCash and many banks write them."""
