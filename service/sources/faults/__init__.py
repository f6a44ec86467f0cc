"""What senders sent and nobody could take: kept, shown, played again or dismissed."""
