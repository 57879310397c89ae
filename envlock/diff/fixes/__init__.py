"""Commands that remove a difference, as argument lists made from checked names."""
