"""Django database backend for SQLite whose connections can be kept between requests."""
