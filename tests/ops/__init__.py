"""Tests of operators: types, arithmetic, gradients."""
