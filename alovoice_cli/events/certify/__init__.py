"""Whether a CRM's handler stands whatever the PBX may send it: cases, what they judge, and the report of them."""
