"""Relationships with known trust, simulated from the description, and every mark tried on them."""
