"""The use cases: publish, receive, deliver, agree. I/O, with home and now as arguments.

A shipment goes one way through two homes: prepare, judge, seal, deliver here; collect, open,
judge, land, acknowledge there. Each step is a module of that name.
"""
