"""SQL as text: names, values, patterns and conditions that others wrote, made harmless. Pure."""
