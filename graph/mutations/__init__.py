"""What can be changed, by domain: the inputs stand beside the mutations that take them."""
