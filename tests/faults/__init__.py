"""What the network and the service can do to a delivery, and what must come of it."""
