"""An LSTM by hand: every number of a small one, as text, CSV or spreadsheet."""
