"""Tests a CRM's handler with everything that the PBX may send: cases, their judgement, and the report."""
