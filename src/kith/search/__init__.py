"""Who is near: the people of a gallery whom a face may be."""
