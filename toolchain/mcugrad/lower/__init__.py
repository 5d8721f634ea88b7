"""From operators to the kernel calls of a target."""
