"""Tests of the C kernels against the operators' references."""
