"""Order and placement of a program, and the judge of both."""
