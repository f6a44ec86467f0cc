"""What is wrong with files, rows, addresses and deliveries, in French too: the API speaks English, people either."""
