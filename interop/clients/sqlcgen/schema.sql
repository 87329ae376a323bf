CREATE TABLE authors (
  id   BIGINT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(50) NOT NULL,
  bio  TEXT
);

CREATE TABLE books (
  author_id BIGINT NOT NULL,
  id        BIGINT NOT NULL,
  title     VARCHAR(80) NOT NULL,
  price     DECIMAL(10,2) NOT NULL,
  published DATETIME NOT NULL,
  PRIMARY KEY (author_id, id),
  FOREIGN KEY (author_id) REFERENCES authors (id)
);
