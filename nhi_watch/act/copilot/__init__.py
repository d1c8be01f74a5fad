"""Copilot: a language model may word the brief, and nothing else. What it says is checked against the evidence."""
