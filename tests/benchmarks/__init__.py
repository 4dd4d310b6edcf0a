"""Timings, to be run by hand: no test asserts a time."""
