"""Agreement of others: what takes it by a tenant's policies, who may give it, and what becomes of it then."""
