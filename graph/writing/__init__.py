"""How a mutation is carried out: one transaction, audited, safe to retry, answered with a payload."""
