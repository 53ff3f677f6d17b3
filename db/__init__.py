"""What is stored: models, sessions, isolation between tenants, and the server for development."""
