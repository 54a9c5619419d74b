"""How mpops itself is doing, and the audit."""
