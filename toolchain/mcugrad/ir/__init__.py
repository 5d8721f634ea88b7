"""The graph and its tensors, their verifier, their text and file forms."""
