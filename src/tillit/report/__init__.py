"""One HTML page about a party's relationships; opens without a network."""
