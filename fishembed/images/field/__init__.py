"""What camera traps and collections exchange: packages of tables that name images and animals."""
