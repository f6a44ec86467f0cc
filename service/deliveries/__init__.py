"""What goes out: events posted to webhook endpoints, and everything that was sent, tried again and sent anew."""
