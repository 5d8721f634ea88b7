"""Tests of graphs: verifier, text, storage."""
