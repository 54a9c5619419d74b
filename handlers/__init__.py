"""What mpops does, one folder per business area."""
