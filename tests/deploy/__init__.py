"""Tests of what runs around the code: bootstrap, images, rules."""
