"""Shuniu 枢纽: the hub that makes a manufacturer's systems agree with each other."""

__version__ = "0.1.0"
