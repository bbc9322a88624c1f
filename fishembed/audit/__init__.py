"""What is wrong with the data, before anyone trusts a score."""
