-- name: CreateAuthor :execresult
INSERT INTO authors (name, bio) VALUES (?, ?);

-- name: CreateBook :exec
INSERT INTO books (author_id, id, title, price, published) VALUES (?, ?, ?, ?, ?);

-- name: GetAuthor :one
SELECT * FROM authors WHERE id = ? LIMIT 1;

-- name: ListAuthors :many
SELECT * FROM authors ORDER BY name;

-- name: AuthorsByID :many
SELECT * FROM authors WHERE id IN (sqlc.slice('ids')) ORDER BY id;

-- name: Totals :many
SELECT a.name, COUNT(*) AS books, SUM(b.price) AS total
FROM authors a JOIN books b ON b.author_id = a.id
WHERE b.published >= sqlc.arg('since')
GROUP BY a.id, a.name ORDER BY a.name;

-- name: Rename :execrows
UPDATE authors SET name = COALESCE(sqlc.narg('name'), name) WHERE id = sqlc.arg('id');

-- name: DeleteAuthor :exec
DELETE FROM authors WHERE id = ?;
