"""An LSTM by hand: every number of a small one, as text, Markdown, CSV and spreadsheet."""
