"""The web server: the Flask application, waitress around it, and an end that loses nobody's request."""
