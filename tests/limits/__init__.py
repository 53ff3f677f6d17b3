"""What an operation may ask for, and what it costs."""
