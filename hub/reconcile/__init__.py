"""A bank file matched with an order book, without a server: files in, result lines and a page out."""

from hub.reconcile.book import History, OrderBook, read_history, read_orders
from hub.reconcile.receipts import BankFiles, read_bank_files
from hub.reconcile.run import Result, reconcile, result_lines

__all__ = [
    "BankFiles",
    "History",
    "OrderBook",
    "Result",
    "read_bank_files",
    "read_history",
    "read_orders",
    "reconcile",
    "result_lines",
]
