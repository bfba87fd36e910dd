"""Signing, sealing and keys: the only importers of ``cryptography``.

``age`` seals payloads, ``dsse`` signs what is said, ``keys`` keeps a party's secrets and ``party``
says who somebody is. Randomness is an argument everywhere, with the operating system's as default.
"""
