import pytest

# Its asserts are told as those of a test.
pytest.register_assert_rewrite("tests.sandbox.zoho.shop")
