"""Posture: what is wrong with non-human identities before anybody misuses them."""
