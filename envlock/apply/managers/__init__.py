"""Package managers that apply can drive, one module each; `table` lists them."""
