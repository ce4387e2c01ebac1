"""Identifiers: a prefix that says what a thing is, and 96 random bits."""

import secrets


def new_id(prefix: str) -> str:
    """A fresh id such as `job_3f9c…` (prefix, underscore, 24 hexadecimal digits)."""
    return f"{prefix}_{secrets.token_hex(12)}"
