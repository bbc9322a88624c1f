"""The field's questions: sites, taxa, priors, counts."""
