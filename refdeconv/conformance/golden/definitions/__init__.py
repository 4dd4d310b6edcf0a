"""Definitions of every model by direct summation in mpmath; nothing of the package is imported here."""
