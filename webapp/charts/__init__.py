"""One pure function a file: rows → Plotly figure, as the plain dictionary that Plotly.js reads."""
