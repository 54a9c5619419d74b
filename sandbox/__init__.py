"""A local world that speaks the platforms' real protocols over HTTP on loopback. It knows nothing of the product."""
