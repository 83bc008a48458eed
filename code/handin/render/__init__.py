"""Turns the project's `.qmd` files into PDF: with Quarto where there is one, else with its parts."""
