"""The language side: text in, findings out. It knows neither HTTP nor a database nor the clock."""
