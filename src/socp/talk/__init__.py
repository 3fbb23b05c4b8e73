"""What a person at a terminal types and reads, in words: for the line client and the screen."""
