"""Worlds to run the product on: a simulated trading year, and real data of other people."""
