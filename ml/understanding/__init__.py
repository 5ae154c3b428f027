"""What a message is about, what it mentions and how its writer feels."""
