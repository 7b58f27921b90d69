"""The course's scripts, translated to Keras line by line, without nnloss."""
