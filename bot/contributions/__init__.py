"""What areas bring to the house: plain frozen values, one small module for each reader of them."""
