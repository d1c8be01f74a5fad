"""Fixtures of every test."""

from __future__ import annotations

from elastic_server import elastic

__all__ = ["elastic"]
