"""What a sweep leaves: tables, pictures, a report."""
