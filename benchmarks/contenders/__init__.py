"""Training scripts to measure; `work` states their arguments and reads them."""
