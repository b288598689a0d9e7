"""What the answers of the API hold, a file for each resource."""
