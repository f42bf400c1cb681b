"""Campaigns: who is called, when, and by which rules; pure, without network, terminal or database."""
