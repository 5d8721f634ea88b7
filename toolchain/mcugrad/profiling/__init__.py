"""What each operator of a compiled model costs on its target."""
