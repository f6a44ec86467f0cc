"""What the reference of sources says, sentence by sentence: requests, their right answers, and what is stored then."""
