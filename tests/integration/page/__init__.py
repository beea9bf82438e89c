"""The page in a real browser, on a real service with two workers: one for all tests here."""
