"""The inputs of the tests with recorded results."""
