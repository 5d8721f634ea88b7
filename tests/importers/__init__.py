"""Tests of the import of model files."""
