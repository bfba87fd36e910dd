"""Two companies exchange plans, forecasts and complaints under agreements both have signed."""

__version__ = "0.1.0"
