"""What became of recurring revenue: the ARR waterfall, GRR, NRR and logo retention, from the terms in the book."""
